import { RuntimeError } from '../runtime-error.ts';
import type { Session, TensorInfo } from '../session/session.ts';

/** The one required input that a model of this kind has beside `others`; disposes the session where there is not one. */
export function onlyInput(session: Session, kind: string, others: readonly string[] = []): TensorInfo {
  const required = session.inputs.filter(({ required, name }) => required && !others.includes(name));
  const [input] = required;
  if (input && required.length === 1) return input;
  session.dispose();
  const names = required.map(({ name }) => name).join(', ');
  const beside = others.length > 0 ? ` beside ${others.join(', ')}` : '';
  throw new RuntimeError(
    'bad-package',
    `${kind} model has one input${beside}, this one has ${names || 'none'}`,
  );
}
