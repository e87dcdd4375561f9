import type { ClientHttp2Session, ClientHttp2Stream, IncomingHttpHeaders, IncomingHttpStatusHeader } from 'node:http2';
import { showConsulAddress } from './address.ts';
import { createConnectionPool } from './http2-connections.ts';
import { nodeHttp2 } from './lazy-tls.ts';
import { type ConsulAnswer, type ConsulOptions, type ConsulRequest, encoded, exchange, type WatchTransport } from './transport.ts';

/** Connections at once; an agent allows 200 a client unless told otherwise (`http_max_conns_per_client`). */
const MAX_CONNECTIONS = 50;

/**
 * Consul over HTTP/2, which its HTTPS port speaks: hundreds of requests wait on one connection.
 * The cause of what `send` throws is a `NoHttp2Error` when the agent does not speak it.
 */
export function createHttp2Transport(options: ConsulOptions): WatchTransport & AsyncDisposable {
  const { address, token, basicAuth, maxConnections = MAX_CONNECTIONS } = options;
  const subject = showConsulAddress(address);
  const pool = createConnectionPool(options, maxConnections);
  return {
    subject,
    capacity: pool.capacity,
    send: (request, signal) =>
      exchange(request, subject, signal, ({ answered, failed }) => {
        let drop = () => {};
        let isDropped = false;
        const carry = async () => {
          const place = await pool.take();
          try {
            if (isDropped) return;
            const stream = begin(place.session, request, token?.() ?? '', basicAuth);
            drop = () => {
              stream.close(nodeHttp2().constants.NGHTTP2_CANCEL);
              place.release();
            };
            answered(await whole(stream));
          } finally {
            place.release();
          }
        };
        carry().catch(failed);
        return () => {
          isDropped = true;
          drop();
        };
      }),
    [Symbol.asyncDispose]: pool[Symbol.asyncDispose],
  };
}

function begin(session: ClientHttp2Session, request: ConsulRequest, token: string, basicAuth: string | undefined): ClientHttp2Stream {
  const { path, headers, body } = encoded(request, token, basicAuth);
  const stream = session.request({ ':method': request.method, ':path': path, ...headers }, { endStream: body === undefined });
  if (body !== undefined) stream.end(body);
  return stream;
}

/** @throws Error when the stream ends before the answer does. */
function whole(stream: ClientHttp2Stream): Promise<ConsulAnswer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let headers: IncomingHttpHeaders & IncomingHttpStatusHeader = {};
    stream.on('response', (received) => (headers = received));
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('error', reject);
    stream.on('close', () => {
      const body = Buffer.concat(chunks);
      const isWhole = headers[':status'] !== undefined && stream.readableEnded && !stream.aborted && isAsLongAsSaid(headers, body);
      if (isWhole) resolve({ status: headers[':status'] ?? 0, headers, body });
      else reject(new Error('the stream ended in the middle of the answer'));
    });
  });
}

/** A stream that is reset without an error ends like one that is complete; its length tells. */
function isAsLongAsSaid(headers: IncomingHttpHeaders, body: Buffer): boolean {
  const said = headers['content-length'];
  return said === undefined || Number(said) === body.length;
}
