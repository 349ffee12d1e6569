/** Environment variables, in the form of `process.env`. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Called when a secret file becomes invalid while the process runs. @default a process warning, `SecretFileWarning` */
export type OnWarning = (warning: string) => void;
