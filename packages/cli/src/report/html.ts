/** HTML that is safe to insert as it is. */
export class SafeHtml {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

type Part = string | number | SafeHtml | readonly Part[];

/** Tagged template: what is inserted is escaped unless it is `SafeHtml`; lists are joined. */
export function html(strings: TemplateStringsArray, ...parts: readonly Part[]): SafeHtml {
  return new SafeHtml(strings.reduce((text, next, i) => text + render(parts[i - 1] ?? '') + next));
}

/** Marks text from our own code as HTML. */
export function trusted(text: string): SafeHtml {
  return new SafeHtml(text);
}

function render(part: Part): string {
  if (typeof part === 'string')
    return part.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
  if (typeof part === 'number') return String(part);
  return part instanceof SafeHtml ? part.text : part.map(render).join('');
}
