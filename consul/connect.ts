import { showConsulAddress } from './address.ts';
import { NoHttp2Error } from './http2-connections.ts';
import { createHttp2Transport } from './http2-transport.ts';
import { type ConsulOptions, createTransport, type WatchTransport } from './transport.ts';

/** The best transport that the agent offers: HTTP/2 on an HTTPS port that speaks it, else HTTP/1.1. Which one is known after the first answer. */
export function connectConsul(options: ConsulOptions): WatchTransport & AsyncDisposable {
  if (options.address.kind === 'unix' || !options.address.tls) return createTransport(options);
  const http2 = createHttp2Transport(options);
  const http1 = createTransport(options);
  let speaksHttp2 = true;
  return {
    subject: showConsulAddress(options.address),
    capacity: () => (speaksHttp2 ? http2 : http1).capacity(),
    send: async (request, signal) => {
      if (!speaksHttp2) return await http1.send(request, signal);
      try {
        return await http2.send(request, signal);
      } catch (error) {
        if (!(error instanceof Error && error.cause instanceof NoHttp2Error)) throw error;
        speaksHttp2 = false;
        return await http1.send(request, signal);
      }
    },
    [Symbol.asyncDispose]: async () => {
      await http2[Symbol.asyncDispose]();
      await http1[Symbol.asyncDispose]();
    },
  };
}
