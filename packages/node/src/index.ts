export { type BackendFinding, type BackendName, type BackendReport, initBackend } from './backends';
export { setUpTensorflow } from './binding';
