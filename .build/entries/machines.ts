export * from '../../machines/types.ts';
export * from '../../machines/ports.ts';
export * from '../../machines/policy.ts';
export * from '../../machines/order.ts';
export * from '../../machines/service.ts';
export * from '../../machines/supervisor.ts';
export * from '../../machines/view.ts';
