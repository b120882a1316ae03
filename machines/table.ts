const PAGE = 32;

/**
 * A map that is never changed: `set` gives another one that shares all but one page of entries with it. With a thousand
 * units a change costs some sixty copied references instead of a thousand, and earlier snapshots stay what they were.
 */
export class Table<Value> implements ReadonlyMap<string, Value> {
  static readonly EMPTY = new Table<never>(new Map(), []);

  private constructor(private readonly places: ReadonlyMap<string, number>, private readonly pages: readonly (readonly (readonly [string, Value])[])[]) {}

  static of<Value>(entries: Iterable<readonly [string, Value]>): Table<Value> {
    const pairs = [...new Map(entries)];
    const pages: (readonly [string, Value])[][] = [];
    for (let start = 0; start < pairs.length; start += PAGE) pages.push(pairs.slice(start, start + PAGE));
    return new Table(new Map(pairs.map(([key], place) => [key, place])), pages);
  }

  get size(): number {
    return this.places.size;
  }

  has(key: string): boolean {
    return this.places.has(key);
  }

  get(key: string): Value | undefined {
    const place = this.places.get(key);
    return place === undefined ? undefined : this.pages[Math.floor(place / PAGE)]?.[place % PAGE]?.[1];
  }

  /** A new key costs a copy of everything. */
  set(key: string, value: Value): Table<Value> {
    const place = this.places.get(key);
    if (place === undefined) return Table.of([...this, [key, value]]);
    const number = Math.floor(place / PAGE);
    const pages = this.pages.slice();
    const page = (pages[number] ?? []).slice();
    page[place % PAGE] = [key, value];
    pages[number] = page;
    return new Table(this.places, pages);
  }

  /** Costs a copy of everything. */
  delete(key: string): Table<Value> {
    return this.has(key) ? Table.of([...this].filter(([other]) => other !== key)) : this;
  }

  *entries(): MapIterator<[string, Value]> {
    for (const page of this.pages) for (const [key, value] of page) yield [key, value];
    return undefined;
  }

  *keys(): MapIterator<string> {
    for (const [key] of this.entries()) yield key;
    return undefined;
  }

  *values(): MapIterator<Value> {
    for (const [, value] of this.entries()) yield value;
    return undefined;
  }

  [Symbol.iterator](): MapIterator<[string, Value]> {
    return this.entries();
  }

  forEach(each: (value: Value, key: string, map: ReadonlyMap<string, Value>) => void): void {
    for (const [key, value] of this.entries()) each(value, key, this);
  }
}
