import type { SwitchLedgerPort } from '../../machines/ports.ts';
import type { SwitchRecord, UnitRecord } from '../../machines/types.ts';
import { object, text, whole, word, Mismatch, type Decoder } from '../state/decode.ts';
import type { Ledger } from '../state/ledger.ts';

const key = (unit: string): string => `switch/${unit}`;

/** Switches under way, kept in the ledger: a supervisor that dies meanwhile leaves the next one to put them back. */
export function keepSwitches(ledger: Pick<Ledger, 'note' | 'forgetNote'>): SwitchLedgerPort {
  return {
    recordSwitch: (record) => ledger.note(key(record.unit), record),
    forgetSwitch: (unit) => ledger.forgetNote(key(unit)),
  };
}

/** What was left open. A switch whose candidate became the unit was through; it only had not been noted. */
export function openSwitches({ meta, records }: Pick<Ledger, 'meta' | 'records'>, onProblem: (text: string) => void): readonly SwitchRecord[] {
  return [...meta].flatMap(([name, value]) => {
    // Null: a switch that was forgotten by a supervisor from before notes could be.
    if (!name.startsWith(key('')) || value === null) return [];
    try {
      const record = decode(value, name);
      return isThrough(record, records.get(record.unit)) ? [] : [record];
    } catch (error) {
      if (!(error instanceof Mismatch)) throw error;
      onProblem(`the ledger's note of an open switch cannot be read: ${error.message}`);
      return [];
    }
  });
}

function isThrough({ generation }: SwitchRecord, unit: UnitRecord | undefined): boolean {
  return unit?.generation === generation;
}

const slot: Decoder<0 | 1> = (value, where) => (word('0', '1')(String(value), where) === '0' ? 0 : 1);

const decode: Decoder<SwitchRecord> = object<{ [Key in keyof SwitchRecord]: SwitchRecord[Key] }>({
  unit: text, generation: whole(0), slots: object<{ from: 0 | 1; to: 0 | 1 }>({ from: slot, to: slot }),
});
