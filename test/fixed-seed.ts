import fc from 'fast-check';

/** Properties get the same inputs in every run, so that a run says something of the change it is about. New ones: FAST_CHECK_SEED=N, and `npm run fuzz`. */
fc.configureGlobal({ seed: Number(process.env['FAST_CHECK_SEED'] ?? 20_261_128) });
