import type { JournalRecord } from '../../wire/payloads.ts';

/** What the journal holds of one unit, and which of it the sentences about the unit rest on. */
export class Past {
  readonly #own: readonly JournalRecord[];

  /** `all`: of every unit, oldest first. `used`: where what is used is gathered. */
  constructor(readonly unit: string, readonly all: readonly JournalRecord[], readonly used: Set<JournalRecord>) {
    this.#own = withoutRepetitions(all.filter((record) => record.unit === unit));
  }

  use<Found extends JournalRecord | null>(record: Found): Found {
    if (record !== null) this.used.add(record);
    return record;
  }

  first(fits: (record: JournalRecord) => boolean): JournalRecord | null {
    return this.#own.find(fits) ?? null;
  }

  last(fits: (record: JournalRecord) => boolean = () => true): JournalRecord | null {
    return this.#own.findLast(fits) ?? null;
  }

  /** A supervisor that takes a unit over into the state in which the unit was adds nothing to what was recorded of that. */
  lastInto(state: string): JournalRecord | null {
    return this.last(({ to, event, detail }) => to === state && (event !== 'adopt' || detail?.['blame'] !== undefined)) ?? this.last(({ to }) => to === state);
  }

  /** Where the unit began to start, the last time. */
  lastStart(): JournalRecord | null {
    return this.last(({ to }) => STARTS.has(to ?? ''));
  }

  numbered(seq: number | undefined): JournalRecord | undefined {
    return this.all.findLast((record) => record.seq === seq);
  }

  /** A start that followed at once from the end of the process before is due to what ended that process. */
  origin(begun: JournalRecord): JournalRecord | undefined {
    let record: JournalRecord | undefined = begun;
    while (record?.cause?.kind === 'exit' && record.cause.seq !== undefined && record.cause.seq < record.seq) record = this.numbered(record.cause.seq);
    if (record?.unit === this.unit) this.use(record);
    return record;
  }
}

/** Without those by which another supervisor has found a unit at rest, or being ended, that was so already: nothing became of it then. */
function withoutRepetitions(records: readonly JournalRecord[]): readonly JournalRecord[] {
  let last: string | undefined;
  return records.filter(({ event, to }) => {
    const isRepeated = event === 'adopt' && to === last && AT_REST_OR_ENDING.has(to ?? '');
    last = to ?? last;
    return !isRepeated;
  });
}

const AT_REST_OR_ENDING = new Set(['stopped', 'stopping', 'killing', 'clearing']);
/** The states that a start leads through. */
const STARTS = new Set(['waiting', 'preparing', 'spawning']);
