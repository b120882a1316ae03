import type { ComponentChildren, JSX } from 'preact';

/** A table that scrolls by itself where it is wider than the page. `columns`: the class of each column by its title. */
export function Rows({
  label,
  columns,
  class: kind,
  children,
}: {
  readonly label: string;
  readonly columns: Readonly<Record<string, 'number' | null>>;
  readonly class?: string;
  readonly children: ComponentChildren;
}): JSX.Element {
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label={label}>
      <table class={kind}>
        <thead>
          <tr>{Object.entries(columns).map(([title, align]) => <th key={title} class={align ?? undefined}>{title}</th>)}</tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </div>
  );
}
