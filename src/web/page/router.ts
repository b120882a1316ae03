import { computed, signal } from '@preact/signals';

/**
 * Of the project that the page shows, `#/@shop/unit/api`; null: the server shows only one.
 * Another project is another page, so that nothing of one gets into the other.
 */
export const project = projectIn(location.hash);

const hash = signal(location.hash);
addEventListener('hashchange', () => {
  if (projectIn(location.hash) !== project) return location.reload();
  if (isTable()) leftAt = scrollY;
  hash.value = location.hash;
});

let leftAt = 0;

/** The table is shown again where it was left, every other page from its top. */
export function scrollToPlace(): void {
  scrollTo(0, isTable() ? leftAt : 0);
}

function isTable(): boolean {
  return route.value.length === 0;
}

/** `#/unit/api/logs` → `['unit', 'api', 'logs']`. */
export const route = computed(() => wordsIn(hash.value).slice(project === null ? 0 : 1));

export function linkTo(...words: readonly string[]): string {
  return project === null ? pathOf(words) : linkToProject(project, ...words);
}

export function linkToProject(name: string, ...words: readonly string[]): string {
  return `${pathOf([])}@${encodeURIComponent(name)}${pathOf(words).slice(1)}`;
}

function pathOf(words: readonly string[]): string {
  return `#/${words.map(encodeURIComponent).join('/')}`;
}

function projectIn(text: string): string | null {
  const [first] = wordsIn(text);
  return first?.startsWith('@') === true ? first.slice(1) : null;
}

function wordsIn(text: string): readonly string[] {
  return text.replace(/^#\/?/, '').split('/').filter((word) => word !== '').map(decoded);
}

export function go(...words: readonly string[]): void {
  location.hash = linkTo(...words);
}

function decoded(word: string): string {
  try {
    return decodeURIComponent(word);
  } catch {
    // A percent sign that a person typed.
    return word;
  }
}
