/** A package in memory: bytes by plain file name, the manifest among them. */
export type PackageFiles = ReadonlyMap<string, Uint8Array>;
