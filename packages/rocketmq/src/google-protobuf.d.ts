// google-protobuf ships no types; these are the two messages that this package makes itself.

declare module 'google-protobuf/google/protobuf/duration_pb.js' {
  const module: { readonly Duration: new () => { setSeconds(s: number): void; setNanos(n: number): void } };
  // oxlint-disable-next-line import/no-default-export
  export default module;
}

declare module 'google-protobuf/google/protobuf/timestamp_pb.js' {
  const module: { readonly Timestamp: new () => { setSeconds(s: number): void; setNanos(n: number): void } };
  // oxlint-disable-next-line import/no-default-export
  export default module;
}
