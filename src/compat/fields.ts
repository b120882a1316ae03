import { Mismatch } from '../state/decode.ts';
import type { XmlElement } from './xml.ts';

/** Reading what an element holds. Each throws `Mismatch` with the place; elements nobody asks for may be there. */
export function all(element: XmlElement, name: string): readonly XmlElement[] {
  return element.children.filter((child) => child.name === name);
}

export function maybe(element: XmlElement, name: string, where: string): XmlElement | null {
  const found = all(element, name);
  if (found.length > 1) throw new Mismatch(`${where}.${name}`, 'one element', `${found.length} of them`);
  return found[0] ?? null;
}

export function one(element: XmlElement, name: string, where: string): XmlElement {
  const found = maybe(element, name, where);
  if (found === null) throw new Mismatch(`${where}.${name}`, 'an element', undefined);
  return found;
}

export function textIn(element: XmlElement, name: string, where: string): string {
  return plainText(one(element, name, where), `${where}.${name}`);
}

/** Null: absent or empty, which is how systemg 0.33.0 writes "none". */
export function maybeText(element: XmlElement, name: string, where: string): string | null {
  const found = maybe(element, name, where);
  const text = found === null ? '' : plainText(found, `${where}.${name}`);
  return text === '' ? null : text;
}

export function numberIn(element: XmlElement, name: string, where: string, lowest: number): number {
  const text = textIn(element, name, where);
  return whole(text, `${where}.${name}`, lowest);
}

export function maybeNumber(element: XmlElement, name: string, where: string, lowest: number): number | null {
  const text = maybeText(element, name, where);
  return text === null ? null : whole(text, `${where}.${name}`, lowest);
}

/** Of a kernel's `pid_t`. */
export function pidIn(element: XmlElement, name: string, where: string): number {
  return pidOf(textIn(element, name, where), `${where}.${name}`);
}

export function maybePid(element: XmlElement, name: string, where: string): number | null {
  const text = maybeText(element, name, where);
  return text === null ? null : pidOf(text, `${where}.${name}`);
}

function pidOf(text: string, where: string): number {
  const pid = whole(text, where, 1);
  if (pid >= 2 ** 31) throw new Mismatch(where, 'a process id', text);
  return pid;
}

function whole(text: string, where: string, lowest: number): number {
  const value = /^\s*-?[0-9]{1,16}\s*$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(value) || value < lowest) throw new Mismatch(where, `a whole number ≥ ${lowest}`, text);
  return value;
}

function plainText(element: XmlElement, where: string): string {
  if (element.children.length > 0) throw new Mismatch(where, 'text', `<${element.children[0]?.name}>`);
  return element.text;
}
