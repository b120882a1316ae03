import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeRequest } from '../../src/wire/decode-request.ts';
import { encodeRequest } from '../../src/wire/requests.ts';
import { anyRequest } from './requests.ts';

function refusal(line: string | Uint8Array): string | null {
  const decoded = decodeRequest(line);
  return decoded.ok ? null : decoded.error.message.replace('failed to serialise control message: ', '');
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
      expect(decoded.ok || decoded.error.message.length > 0).toBe(true);
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
    expect(request('{"Restart":{}}')).toEqual({ kind: 'restart', config: null, service: null, wait: true, settlements: false, all: false, notes: false });
    expect(request('{"Restart":{"wait":null,"service":"a"}}')).toEqual({ kind: 'restart', config: null, service: 'a', wait: true, settlements: false, all: false, notes: false });
    expect(request('{"Stop":{"settlements":true}}')).toEqual({ kind: 'stop', service: null, settlements: true, forget: false, notes: false });
    expect(request('{"Inspect":{"x":{"a":[1,{},[],"b\\"",-0.5e3,true,false,null]},"samples":2,"__proto__":{},"unit":"u"}}'))
      .toEqual({ kind: 'inspect', unit: 'u', samples: 2 });
  });

  test('may hold its fields as an array in order', () => {
    expect(request('{"Logs":[null,10,"stdout",true]}')).toEqual({ kind: 'logs', service: null, lines: 10, logKind: 'stdout', follow: true });
    expect(request('{"Restart":["c","s"]}')).toEqual({ kind: 'restart', config: 'c', service: 's', wait: true, settlements: false, all: false, notes: false });
    expect(request('{"Restart":["c","s",false]}')).toEqual({ kind: 'restart', config: 'c', service: 's', wait: false, settlements: false, all: false, notes: false });
    expect(refusal('{"Inspect":["u"]}')).toBe('Inspect: expected 2 elements, found 1');
    expect(refusal('{"Start":[]}')).toBe('Start: expected 1 to 2 elements, found 0');
    expect(refusal('{"Inspect":["u",1,2]}')).toBe('Inspect: expected 2 elements, found 3');
    expect(refusal('{"Inspect":["u",1,]}')).toMatch(/^not JSON: /);
    expect(refusal('{"Inspect":["u",1.0]}')).toBe('Inspect.samples: expected a whole number below 2^64, found 1.0');
    expect(refusal('{"Spawn":[1,"n",["a",{"b":[1]}],1e2,null]}')).toMatch(/^Spawn\.command\[1\]: /);
    expect(refusal('{"Spawn":[1,"n",["a"],1e2,null]}')).toMatch(/^Spawn\.ttl: /);
  });

  test('gives no field twice, by whatever spelling', () => {
    expect(refusal('{"Stop":{"service":"a","\\u0073ervice":"b"}}')).toBe('Stop: duplicate field `service`');
    expect(refusal('{"Stop":{},"Stop":{}}')).toBe('Stop: given twice');
    expect(request('{"Stop":{"x":1,"x":2,"service":"a, \\"service\\": {[\\\\"}}')).toMatchObject({ service: 'a, "service": {[\\' });
  });

  test.each([
    ['{"Inspect":{"unit":"u","samples":"5"}}', /^Inspect\.samples: expected a whole number ≥ 0, found "5"$/],
    ['{"Inspect":{"unit":"u","samples":-1}}', /^Inspect\.samples: expected a whole number below 2\^64, found -1$/],
    ['{"Inspect":{"unit":1.5,"samples":1}}', /^Inspect\.unit: expected a string, found 1\.5$/],
    ['{"Stop":{"service":-1}}', /^Stop\.service: expected a string, found -1$/],
    ['{"Logs":{"lines":1,"kind":"stdout","follow":1e2}}', /^Logs\.follow: expected a boolean, found 100$/],
    ['{"Inspect":{"unit":"u","samples":-0}}', /^Inspect\.samples: expected a whole number below 2\^64, found -0$/],
    ['{"Inspect":{"unit":"u","samples":4294967296}}', /^Inspect\.samples: expected a number below 2\^32, found 4294967296$/],
    ['{"Inspect":{"unit":null,"samples":5}}', /^Inspect\.unit: expected a string, found null$/],
    ['{"Inspect":{"unit":"u","samples":1e2}}', /^Inspect\.samples: expected a whole number below 2\^64, found 1e2$/],
    ['{"Inspect":{"unit":"u","samples":18446744073709551616}}', /^Inspect\.samples: expected a whole number below 2\^64, found 18446744073709551616$/],
    ['{"Logs":{"lines":18446744073709551616,"kind":"stdout","follow":false}}', /^Logs\.lines: expected a whole number below 2\^64/],
    ['{"Inspect":{"unit":"u","samples":01}}', /^not JSON: /],
    ['{"Inspect":{"unit":"u","samples":1e999}}', /^Inspect\.samples: expected a whole number below 2\^64, found 1e999$/],
    ['{"Logs":{"service":null,"lines":1,"kind":"stdout","follow":1}}', /^Logs\.follow: expected a boolean, found 1$/],
    ['{"Restart":{"wait":1}}', /^Restart\.wait: expected a boolean, found 1$/],
    ['{"Spawn":{"parent_pid":1,"name":"n","command":"true"}}', /^Spawn\.command: expected a list, found "true"$/],
    ['{"Spawn":{"name":"n","command":["a"]}}', /^Spawn: missing field `parent_pid`$/],
    ['{"Spawn":{"parent_pid":1,"name":"n","command":["a",]}}', /^not JSON: /],
    ['{"Stop":5}', /^Stop: expected an object with its fields$/],
    ['{"Status":{}}', /^Status: expected no fields$/],
    ['{"Status":', /^not JSON: /],
    ['{"Stop":{"service":"a"', /^not JSON: /],
    ['{"Stop":{"service":"é', /^not JSON: /],
    ['{"Stop":{"service":"\\x"}}', /^not JSON: /],
    ['{"Stop":{"service":"\\udc00"}}', /^Stop\.service: expected a string without lone surrogates/],
    ['{"Stop":{"service":nul}}', /^not JSON: /],
    ['{"Stop":{service:1}}', /^not JSON: /],
    ['{"Stop":{"service":"a",}}', /^not JSON: /],
    ['{"Stop":{"service" "a"}}', /^not JSON: /],
    ['\ufeff"Status"', /^not JSON: /],
    ['"Start"', /^Start: expected an object with its fields$/],
  ])('%s is refused, saying what, where and what was expected', (line, text) => {
    expect(refusal(line)).toMatch(text);
  });

  test('with a number beyond 2^53 - 1 means the largest one there is', () => {
    expect(request('{"Logs":{"lines":18446744073709551615,"kind":"stdout","follow":false}}')).toMatchObject({ lines: Number.MAX_SAFE_INTEGER });
  });

  test('may nest 127 deep but not 128, and a million deep without harm', () => {
    const nested = (depth: number): string => `{"Stop":{"x":${'['.repeat(depth - 2)}${']'.repeat(depth - 2)}}}`;
    expect(refusal(nested(127))).toBeNull();
    expect(refusal(nested(128))).toBe('nested more than 127 deep');
    expect(refusal(nested(1_000_000))).toBe('nested more than 127 deep');
    expect(refusal(`{"Stop":{"x":${'[],'.repeat(100_000)}1}}`)).toMatch(/^not JSON: /);
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
  expect(encodeRequest({ kind: 'restart', config: null, service: null })).toBe('{"Restart":{"config":null,"service":null}}');
  expect(encodeRequest({ kind: 'stop', service: null, settlements: true })).toBe('{"Stop":{"service":null,"settlements":true}}');
  expect(encodeRequest({ kind: 'restart', config: null, service: null, wait: false })).toBe('{"Restart":{"config":null,"service":null,"wait":false}}');
});
