import { forgetSurroundings } from '../../src/surroundings.ts';

/** The standalone client. What the launcher's shell unsets before Node starts is unset here. */
forgetSurroundings(process.env);
void import('../../src/cli/main.ts');
