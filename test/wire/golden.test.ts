import { describe, expect, test } from 'vitest';
import { decodeRequest } from '../../src/wire/decode-request.ts';
import { decodeResponse, encodeResponse } from '../../src/wire/responses.ts';
import { encodeRequest } from '../../src/wire/requests.ts';
import { firstLine, readGolden } from './golden.ts';

const accepted = readGolden('control', 'cron', 'edge', 'inspect', 'logs', 'spawn', 'status');
const malformed = readGolden('malformed');

describe('requests recorded from systemg 0.33.0', () => {
  test.each(accepted.map((golden) => [`${golden.file}/${golden.name}`, golden] as const))('%s decodes', (_name, golden) => {
    expect(decodeRequest(firstLine(golden.request))).toMatchObject({ ok: true });
  });

  test.each(malformed.map((golden) => [golden.name, golden] as const))('%s is taken, or refused with the same prefix', (_name, golden) => {
    const decoded = decodeRequest(firstLine(golden.request));
    const refusal = /^\{"Error":"(?:(control socket I\/O failed: [^"]*)|(failed to serialise control message: ))/.exec(golden.response);
    if (refusal === null) expect(decoded.ok).toBe(true);
    else if (refusal[1] !== undefined) expect(decoded.ok ? null : decoded.error.message).toBe(refusal[1]);
    else expect(decoded.ok ? null : decoded.error.message).toMatch(/^failed to serialise control message: ./);
  });

  const written = [...accepted, ...malformed].filter((golden) => golden.via !== 'raw' && golden.request.length > 0);
  test.each(written.map((golden) => [golden.via, golden] as const))('%s: our client writes the same bytes', (_via, golden) => {
    const decoded = decodeRequest(golden.request);
    expect(decoded.ok && `${encodeRequest(decoded.request)}\n`).toBe(golden.request.toString());
  });

  test('all recordings are read', () => {
    expect({ written: written.length, accepted: accepted.length, malformed: malformed.length }).toEqual({ written: 13, accepted: 108, malformed: 34 });
  });
});

describe('answers recorded from systemg 0.33.0', () => {
  const answers = [...accepted, ...malformed].filter((golden) => golden.file !== 'logs' && golden.response !== '');
  test.each(answers.map((golden) => [`${golden.file}/${golden.name}`, golden] as const))('%s decodes and is written back byte for byte', (_name, golden) => {
    const decoded = decodeResponse(golden.response);
    expect(decoded).toMatchObject({ ok: true });
    expect(decoded.ok && `${encodeResponse(decoded.response)}\n`).toBe(golden.response);
  });
});
