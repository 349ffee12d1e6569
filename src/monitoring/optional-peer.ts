/** It is an optional peer: most of those who install this package are clients. @throws Error that says how to install it */
export async function promClientLoaded<T>(variable: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error;
    throw new Error(`${variable} needs prom-client, which is not installed: npm install prom-client@15`);
  }
}
