/** The gRPC status codes. The package that defines them is a dependency of the SDK, not of this package. */
export const GRPC = {
  cancelled: 1,
  unknown: 2,
  invalidArgument: 3,
  deadlineExceeded: 4,
  notFound: 5,
  alreadyExists: 6,
  permissionDenied: 7,
  resourceExhausted: 8,
  failedPrecondition: 9,
  aborted: 10,
  outOfRange: 11,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
  dataLoss: 15,
  unauthenticated: 16,
} as const;

/** @returns the code's standard name, such as `INVALID_ARGUMENT` */
export function grpcStatusName(code: number): string {
  const name = Object.entries(GRPC).find(([, known]) => known === code)?.[0] ?? `code${code}`;
  return name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase();
}
