import type { ComponentChild, JSX } from 'preact';

export interface RowOf { readonly key: string | number; readonly class?: string; readonly cells: readonly ComponentChild[] }

/** A table that scrolls by itself where it is wider than the page, and is a card for each row where that is narrow. `columns`: the class of each column by its title. */
export function Rows({ label, columns, class: kind, rows }: {
  readonly label: string;
  readonly columns: Readonly<Record<string, 'number' | null>>;
  readonly class?: string;
  readonly rows: readonly RowOf[];
}): JSX.Element {
  const heads = Object.entries(columns);
  // A table that is laid out otherwise is none to some screen readers, but for the roles.
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label={label}>
      <table class={`cards ${kind ?? ''}`} role="table" aria-label={label}>
        <thead role="rowgroup">
          <tr role="row">{heads.map(([title, align]) => <th key={title} role="columnheader" class={align ?? undefined}>{title}</th>)}</tr>
        </thead>
        <tbody role="rowgroup">
          {rows.map(({ key, class: kind, cells }) => (
            <tr key={key} role="row" class={kind}>
              {cells.map((cell, at) => <td key={at} role="cell" class={heads[at]?.[1] ?? undefined} data-label={heads[at]?.[0]}>{cell}</td>)}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
