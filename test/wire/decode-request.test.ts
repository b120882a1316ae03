import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeRequest } from '../../src/wire/decode-request.ts';
import { encodeRequest } from '../../src/wire/encode.ts';
import { anyRequest } from './requests.ts';

function refusal(line: string | Uint8Array): string | null {
  const decoded = decodeRequest(line);
  return decoded.ok ? null : decoded.error.replace('failed to serialise control message: ', '');
}

function request(line: string): unknown {
  const decoded = decodeRequest(line);
  return decoded.ok ? decoded.request : decoded.error;
}

describe('a request line', () => {
  test('of any request reads back as that request', () => {
    fc.assert(fc.property(anyRequest, (original) => {
      expect(decodeRequest(encodeRequest(original))).toEqual({ ok: true, request: original });
      expect(decodeRequest(Buffer.from(`${encodeRequest(original)}\r\n`))).toEqual({ ok: true, request: original });
    }), { numRuns: 500 });
  });

  test('of any bytes is taken or refused with a text, never thrown at', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      const decoded = decodeRequest(bytes);
      expect(decoded.ok || decoded.error.length > 0).toBe(true);
    }), { numRuns: 500 });
  });

  test('that is almost JSON is refused exactly when the language\'s own parser refuses it', () => {
    const pieces = fc.constantFrom('{', '}', '[', ']', ',', ':', '"', '"a"', 'null', 'true', 'false', '0', '-', '1', '.', 'e', '5', '\\', '\\u00e9', ' ', '\t');
    fc.assert(fc.property(fc.array(pieces, { maxLength: 12 }), (parts) => {
      const value = parts.join('');
      let valid = true;
      try {
        JSON.parse(value);
      } catch {
        // Not JSON: that is what is compared.
        valid = false;
      }
      expect(refusal(`{"Stop":{"x":${value}}}`) === null).toBe(valid);
    }), { numRuns: 3000 });
  });

  test('may leave out optional fields, order them freely and carry unknown ones of any shape', () => {
    expect(request('{"Restart":{}}')).toEqual({ kind: 'restart', config: null, service: null, wait: true });
    expect(request('{"Restart":{"wait":null,"service":"a"}}')).toEqual({ kind: 'restart', config: null, service: 'a', wait: true });
    expect(request('{"Inspect":{"x":{"a":[1,{},[],"b\\"",-0.5e3,true,false,null]},"samples":2,"__proto__":{},"unit":"u"}}'))
      .toEqual({ kind: 'inspect', unit: 'u', samples: 2 });
  });

  test('may hold its fields as an array in order', () => {
    expect(request('{"Logs":[null,10,"stdout",true]}')).toEqual({ kind: 'logs', service: null, lines: 10, logKind: 'stdout', follow: true });
    expect(request('{"Restart":["c","s"]}')).toEqual({ kind: 'restart', config: 'c', service: 's', wait: true });
    expect(request('{"Restart":["c","s",false]}')).toEqual({ kind: 'restart', config: 'c', service: 's', wait: false });
    expect(refusal('{"Inspect":["u"]}')).toBe('invalid length 1, expected struct variant ControlCommand::Inspect with 2 elements at line 1 column 16');
    expect(refusal('{"Start":[]}')).toBe('invalid length 0, expected struct variant ControlCommand::Start with 1 element at line 1 column 11');
    expect(refusal('{"Inspect":["u",1,2]}')).toBe('trailing characters at line 1 column 19');
    expect(refusal('{"Inspect":["u",1,]}')).toBe('trailing comma at line 1 column 19');
  });

  test('gives no field twice, by whatever spelling', () => {
    expect(refusal('{"Stop":{"service":"a","\\u0073ervice":"b"}}')).toMatch(/^duplicate field `service` at line 1 column/);
  });

  test.each([
    ['{"Inspect":{"unit":"u","samples":"5"}}', 'invalid type: string "5", expected u32 at line 1 column 36'],
    ['{"Inspect":{"unit":null,"samples":5}}', 'invalid type: null, expected a string at line 1 column 23'],
    ['{"Inspect":{"unit":"u","samples":1e2}}', 'invalid type: floating point `100.0`, expected u32 at line 1 column 36'],
    ['{"Inspect":{"unit":"u","samples":18446744073709551616}}', 'invalid type: floating point `1.8446744073709552e19`, expected u32 at line 1 column 53'],
    ['{"Inspect":{"unit":"u","samples":01}}', 'invalid number at line 1 column 35'],
    ['{"Inspect":{"unit":"u","samples":1e999}}', 'number out of range at line 1 column 38'],
    ['{"Logs":{"service":null,"lines":1,"kind":"stdout","follow":1}}', 'invalid type: integer `1`, expected a boolean at line 1 column 60'],
    ['{"Spawn":{"parent_pid":1,"name":"n","command":"true"}}', 'invalid type: string "true", expected a sequence at line 1 column 52'],
    ['{"Spawn":{"parent_pid":1,"name":"n","command":["a",]}}', 'trailing comma at line 1 column 52'],
    ['{"Stop":5}', 'invalid type: integer `5`, expected struct variant ControlCommand::Stop at line 1 column 9'],
    ['{"Status":', 'EOF while parsing a value at line 1 column 10'],
    ['{"Stop":{"service":"a"', 'EOF while parsing an object at line 1 column 22'],
    ['{"Stop":{"service":"é', 'EOF while parsing a string at line 1 column 22'],
    ['{"Stop":{"service":"\\x"}}', 'invalid escape at line 1 column 22'],
    ['{"Stop":{"service":"\\udc00"}}', 'lone leading surrogate in hex escape at line 1 column 26'],
    ['{"Stop":{"service":nul}}', 'expected ident at line 1 column 23'],
    ['{"Stop":{service:1}}', 'key must be a string at line 1 column 10'],
    ['{"Stop":{"service":"a",}}', 'trailing comma at line 1 column 24'],
    ['{"Stop":{"service" "a"}}', 'expected `:` at line 1 column 20'],
    ['"Start"', 'invalid type: unit variant, expected struct variant'],
  ])('%s is refused, saying what, where and what was expected', (line, text) => {
    expect(refusal(line)).toBe(text);
  });

  test('with a number beyond 2^53 - 1 means the largest one there is', () => {
    expect(request('{"Logs":{"lines":18446744073709551615,"kind":"stdout","follow":false}}')).toMatchObject({ lines: Number.MAX_SAFE_INTEGER });
  });

  test('may nest 127 deep but not 128, and a million deep without harm', () => {
    const nested = (depth: number): string => `{"Stop":{"x":${'['.repeat(depth - 2)}${']'.repeat(depth - 2)}}}`;
    expect(refusal(nested(127))).toBeNull();
    expect(refusal(nested(128))).toMatch(/^recursion limit exceeded at/);
    expect(refusal(nested(1_000_000))).toMatch(/^recursion limit exceeded at/);
    expect(refusal(`{"Stop":{"x":${'[],'.repeat(100_000)}1}}`)).toMatch(/^(expected|key)/);
    expect(refusal(`{"Stop":{"x":[${'[],'.repeat(100_000)}1]}}`)).toBeNull();
  });

  test('cut inside a UTF-8 sequence is refused', () => {
    const bytes = Buffer.from('{"Stop":{"service":"é"}}');
    expect(refusal(bytes.subarray(0, 21))).toBe('control socket I/O failed: stream did not contain valid UTF-8');
  });
});

test('our own requests are written as documented', () => {
  expect(encodeRequest({ kind: 'history', unit: null, limit: 5, since: 9 })).toBe('{"History":{"unit":null,"limit":5,"since":9}}');
  expect(encodeRequest({ kind: 'watch', since: null, units: ['a'] })).toBe('{"Watch":{"since":null,"units":["a"]}}');
  expect(encodeRequest({ kind: 'signal', unit: 'a', signal: 'SIGHUP' })).toBe('{"Signal":{"unit":"a","signal":"SIGHUP"}}');
  expect(encodeRequest({ kind: 'restart', config: null, service: null, wait: true })).toBe('{"Restart":{"config":null,"service":null}}');
  expect(encodeRequest({ kind: 'restart', config: null, service: null, wait: false })).toBe('{"Restart":{"config":null,"service":null,"wait":false}}');
});
