import { computed, signal } from '@preact/signals';

const hash = signal(location.hash);
addEventListener('hashchange', () => {
  hash.value = location.hash;
});

/** `#/unit/api/logs` → `['unit', 'api', 'logs']`. */
export const route = computed(() => hash.value.replace(/^#\/?/, '').split('/').filter((word) => word !== '').map(decoded));

export function linkTo(...words: readonly string[]): string {
  return `#/${words.map(encodeURIComponent).join('/')}`;
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
