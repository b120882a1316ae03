export * from '../../src/control/client.ts';
