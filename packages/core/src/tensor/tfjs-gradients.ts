// tfjs-core alone has no gradients. A bundler takes their registration from it; Node cannot import that module (it has
// no file extensions), so there the union package does it. The map stands in package.json under "imports".
import '#gradients';
