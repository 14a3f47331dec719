/** What is wrong with a path, by the operating system's error code, to follow the path. */
const PREDICATES: Readonly<Record<string, string>> = {
  EACCES: 'is not accessible to this user',
  EPERM: 'is not accessible to this user',
  EROFS: 'is on a read-only file system',
  EISDIR: 'is a folder, not a file',
  ENOTDIR: 'goes through a file as if it were a folder',
  EEXIST: 'is there already, and no folder',
  ENOENT: 'does not exist',
};

/** The sentence for an error of the operating system about a file, for people; undefined for other errors. */
export function systemErrorText(error: Error): string | undefined {
  const { code = '', path } = error as NodeJS.ErrnoException;
  if (code === 'ENOSPC') return 'The disk is full.';
  const predicate = PREDICATES[code];
  return predicate === undefined || path === undefined ? undefined : `${path} ${predicate}.`;
}
