// 深度学习--优化器篇: compare.ts, then its curves of the loss in the terminal and as optimizers.svg in the folder it is run in.
import { writeFileSync } from 'node:fs';
import { curves } from './compare';
import { draw } from './draw';

const { terminal, svg } = draw(curves);
console.log(terminal);
writeFileSync('optimizers.svg', svg);
console.log('optimizers.svg');
