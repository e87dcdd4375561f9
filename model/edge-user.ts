/** Who may use a service that asks for a name and a password. */
export interface EdgeUser {
  readonly name: string;
  /** What crypt(3) made of the password: a secret. */
  readonly hash: string;
}

const NAME = /^[A-Za-z0-9_.@-]{1,64}$/;
/** SHA-256 and SHA-512 crypt, and bcrypt; never a plain password. */
const SHA_CRYPT = /^\$[56]\$(?:rounds=(\d{1,9})\$)?[./A-Za-z0-9]{1,16}\$[./A-Za-z0-9]{43}(?:[./A-Za-z0-9]{43})?$/;
const BCRYPT = /^\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}$/;
/** HAProxy hashes the password of every request, in the thread that serves others too. */
const MOST_ROUNDS = 10_000;
const MOST_BCRYPT_COST = 8;

const REASON =
  'it is USER:HASH, the hash made by `openssl passwd -5` or `mkpasswd -m sha-256` ($5$…, $6$… or $2b$…); never a plain password';

/** Reads `user:hash`. The reason why it is none, otherwise; it tells nothing of the text. */
export function parseEdgeUser(text: string): EdgeUser | string {
  const end = text.indexOf(':');
  const [name, hash] = [text.slice(0, end), text.slice(end + 1)];
  if (end < 0 || !NAME.test(name)) return REASON;
  const sha = SHA_CRYPT.exec(hash);
  const bcrypt = BCRYPT.exec(hash);
  if (sha === null && bcrypt === null) return REASON;
  if (hash.startsWith('$5$') && hash.length - hash.lastIndexOf('$') !== 44) return REASON;
  if (hash.startsWith('$6$') && hash.length - hash.lastIndexOf('$') !== 87) return REASON;
  if (Number(sha?.[1] ?? 0) > MOST_ROUNDS) return `its hash is too slow to be made at every request; use at most rounds=${MOST_ROUNDS}`;
  if (Number(bcrypt?.[1] ?? 0) > MOST_BCRYPT_COST)
    return `its hash is too slow to be made at every request; use a cost of at most ${MOST_BCRYPT_COST}`;
  return { name, hash };
}

/** A text without the password hashes in it, for people to see. */
export function withoutHashes(text: string): string {
  return text.replace(/\$(?:[0-9][a-z]?|y|gy)\$[^\s'"]+/g, '(hash)');
}
