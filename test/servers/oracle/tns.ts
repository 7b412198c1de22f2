import type { Socket } from 'node:net';

const PACKET = { CONNECT: 1, ACCEPT: 2, REFUSE: 4, DATA: 6, MARKER: 12 } as const;

/** Kinds of a marker: what stops a call, and what makes both sides forget what was in flight. */
export const MARKER = { BREAK: 1, RESET: 2, INTERRUPT: 3 } as const;

const HEADER = 8;
const DATA_HEADER = HEADER + 2;
const END_OF_RESPONSE = 0x2000;
const END_OF_REQUEST = 0x0800;
const END_OF_FILE = 0x0040;

/** Flags of ACCEPT, since version 318. */
const FAST_AUTH = 0x10000000;
const HAS_END_OF_RESPONSE = 0x02000000;

/** What goes into one packet at most, as real servers have it: a row of text takes several. */
const SDU = 8192;

export interface TnsHandler {
  /** A client asks for a service: accept() or refuse() answers. */
  connect(descriptor: string): void;
  /** A whole message of the client. */
  message(bytes: Buffer): void;
  marker(kind: number): void;
  closed(): void;
}

/** The packets of one connection: what is inside of them is for the handler. */
export class TnsConnection {
  readonly #socket: Socket;
  readonly #handler: TnsHandler;
  #received: Buffer = Buffer.alloc(0);
  #message: Buffer[] = [];
  #clientVersion = 0;
  #sdu = SDU;
  #state: 'connect' | 'descriptor' | 'open' = 'connect';

  constructor(socket: Socket, handler: TnsHandler) {
    this.#socket = socket;
    this.#handler = handler;
    socket.on('data', (bytes) => this.#take(bytes));
    // The end of a connection is seen by `close`, which follows every error.
    socket.on('error', () => {});
    socket.on('close', () => handler.closed());
  }

  /** Since version 315, packets of an accepted connection have lengths of four bytes. */
  get #wide(): boolean {
    return this.#state === 'open';
  }

  #take(bytes: Buffer): void {
    this.#received = this.#received.length === 0 ? bytes : Buffer.concat([this.#received, bytes]);
    while (this.#received.length >= HEADER) {
      const length = this.#wide ? this.#received.readUInt32BE(0) : this.#received.readUInt16BE(0);
      if (this.#received.length < length) return;
      const packet = this.#received.subarray(0, length);
      this.#received = this.#received.subarray(length);
      this.#packet(packet);
    }
  }

  #packet(packet: Buffer): void {
    const type = packet[4];
    if (type === PACKET.CONNECT) {
      this.#clientVersion = packet.readUInt16BE(8);
      this.#sdu = Math.min(packet.readUInt32BE(58), SDU);
      const [length, offset] = [packet.readUInt16BE(24), packet.readUInt16BE(26)];
      // A descriptor that is too long for this packet comes in one of its own.
      if (offset + length > packet.length) this.#state = 'descriptor';
      else this.#handler.connect(packet.toString('utf8', offset, offset + length));
    } else if (type === PACKET.DATA && this.#state === 'descriptor') {
      this.#handler.connect(packet.toString('utf8', DATA_HEADER));
    } else if (type === PACKET.MARKER) {
      this.#handler.marker(packet[HEADER + 2]);
    } else if (type === PACKET.DATA) {
      this.#data(packet);
    } else {
      this.#socket.destroy();
    }
  }

  #data(packet: Buffer): void {
    const flags = packet.readUInt16BE(HEADER);
    if (flags & END_OF_FILE) {
      this.#socket.end();
      return;
    }
    this.#message.push(packet.subarray(DATA_HEADER));
    if (!(flags & END_OF_REQUEST)) return;
    const message = Buffer.concat(this.#message);
    this.#message = [];
    this.#handler.message(message);
  }

  #frame(packet: Buffer, type: number): void {
    if (this.#wide) packet.writeUInt32BE(packet.length, 0);
    else packet.writeUInt16BE(packet.length, 0);
    packet[4] = type;
  }

  #send(type: number, body: Buffer): void {
    const packet = Buffer.concat([Buffer.alloc(HEADER), body]);
    this.#frame(packet, type);
    this.#socket.write(packet);
  }

  /** Of the version given, or the client's when that is less. */
  accept(version: number, features: { fastAuth: boolean; endOfResponse: boolean }): void {
    const agreed = Math.min(version, this.#clientVersion);
    if (agreed < 315) {
      this.#socket.destroy();
      return;
    }
    const packet = Buffer.alloc(agreed >= 318 ? 45 : 41);
    packet.writeUInt16BE(agreed, 8);
    packet.writeUInt16BE(1, 10);
    packet.writeUInt16BE(this.#sdu, 12);
    packet.writeUInt16BE(0xffff, 14);
    packet.writeUInt16BE(1, 16);
    packet.writeUInt16BE(packet.length, 20);
    // Native network services (encryption, checksums) are not linked: the client does not negotiate them.
    packet[22] = 0x04;
    packet[23] = 0x08;
    packet.writeUInt32BE(this.#sdu, 32);
    packet.writeUInt32BE(0x200000, 36);
    if (agreed >= 318) {
      const flags = (features.fastAuth ? FAST_AUTH : 0) + (features.endOfResponse ? HAS_END_OF_RESPONSE : 0);
      packet.writeUInt32BE(flags, 41);
    }
    this.#frame(packet, PACKET.ACCEPT);
    this.#socket.write(packet);
    this.#state = 'open';
  }

  /** The listener's refusal, after which the connection is closed. */
  refuse(err: number): void {
    const text = `(DESCRIPTION=(TMP=)(VSNNUM=318767104)(ERR=${err})(ERROR_STACK=(ERROR=(CODE=${err})(EMFI=4))))`;
    const body = Buffer.alloc(4 + text.length);
    body[0] = 34;
    body.writeUInt16BE(text.length, 2);
    body.write(text, 4);
    this.#send(PACKET.REFUSE, body);
    this.#socket.end();
  }

  /** A message, or a part of one, in as many packets as it takes, handed to the system at once. */
  data(message: Buffer, endOfResponse: boolean): void {
    const room = this.#sdu - DATA_HEADER;
    const count = Math.ceil(message.length / room);
    const packets = Buffer.allocUnsafe(message.length + count * DATA_HEADER);
    for (let at = 0, to = 0; at < message.length; at += room) {
      const part = Math.min(room, message.length - at);
      const last = at + part === message.length;
      packets.fill(0, to, to + DATA_HEADER);
      this.#frame(packets.subarray(to, to + DATA_HEADER + part), PACKET.DATA);
      if (last && endOfResponse) packets.writeUInt16BE(END_OF_RESPONSE, to + HEADER);
      message.copy(packets, to + DATA_HEADER, at, at + part);
      to += DATA_HEADER + part;
    }
    this.#socket.write(packets);
  }

  marker(kind: number): void {
    this.#send(PACKET.MARKER, Buffer.from([1, 0, kind]));
  }

  /** Cuts the connection off, after what was sent has gone out. */
  destroySoon(): void {
    this.#socket.destroySoon();
  }

  destroy(): void {
    this.#socket.destroy();
  }
}
