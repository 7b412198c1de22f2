import { type Key, matches } from './keys.ts';

/** A key, what it does and how that is called in the footer, the help and the palette. */
export interface Binding {
  /** Combinations as `matches` reads them: 'r', '?', 'ctrl+p', 'return'. The first is the one that is shown. */
  readonly keys: readonly string[];
  /** In the operator's words, in the imperative: "resume". */
  readonly label: string;
  run(): void;
  /** False keeps it out of the footer; help and palette have it anyway. */
  readonly footer?: boolean;
  /** Why it cannot be used now; pressing the key says so. */
  readonly disabled?: string;
}

export type Scope = 'global' | 'screen' | 'control' | 'modal';

/** The bindings of one component. */
export interface KeyLayer {
  readonly scope: Scope;
  /** Later components have the greater order and are asked first. */
  readonly order: number;
  /** The dialog that the component belongs to. */
  readonly modal: object | undefined;
  readonly bindings: readonly Binding[];
  readonly onOther?: (key: Key) => boolean;
}

const RANK: Readonly<Record<Scope, number>> = { control: 3, modal: 2, screen: 1, global: 0 };
/** A second Ctrl-C within this time always leaves, in milliseconds. */
const INSISTING = 2000;

/** Who gets a key. Knows nothing of React; components enter and leave layers. */
export class KeyRegistry {
  /** Told of a key whose binding cannot be used now, and why. */
  onDisabled: (reason: string) => void = () => {};
  /** Told of what the answer to a key has thrown; without it, that is thrown on. */
  onError: ((error: unknown) => void) | undefined;

  private readonly layers = new Map<object, KeyLayer>();
  private readonly dialogs = new Map<object, number>();
  private readonly listeners = new Set<() => void>();
  private shown: readonly KeyLayer[] = [];
  private signature = '';
  private orders = 0;
  private interruptedAt = Number.NEGATIVE_INFINITY;

  /** An order greater than all given before. */
  nextOrder(): number {
    return ++this.orders;
  }

  /** Enters or replaces what `owner` listens to. */
  set(owner: object, layer: KeyLayer): void {
    this.layers.set(owner, layer);
    this.changed();
  }

  delete(owner: object): void {
    if (this.layers.delete(owner)) this.changed();
  }

  /** From now on, only components of the dialog `modal` get keys. The one with the greatest order wins. */
  openDialog(modal: object, order: number): void {
    this.dialogs.set(modal, order);
    this.changed();
  }

  closeDialog(modal: object): void {
    if (this.dialogs.delete(modal)) this.changed();
  }

  /** The dialog on top; undefined when there is none. */
  get dialog(): object | undefined {
    let top: [object, number] | undefined;
    for (const entry of this.dialogs) if (top === undefined || entry[1] > top[1]) top = entry;
    return top?.[0];
  }

  /** Layers that get keys now, those asked first in front. The same array until keys, labels or their order change. */
  readonly reachable = (): readonly KeyLayer[] => this.shown;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  /** Runs what `key` is bound to; true when somebody had a use for it. */
  dispatch(key: Key, now: number = performance.now()): boolean {
    const interrupt = matches(key, 'ctrl+c');
    const insisting = interrupt && now - this.interruptedAt < INSISTING;
    if (interrupt) this.interruptedAt = now;
    const asked = interrupt ? this.sorted(() => true) : [...this.current(), ...this.beyondDialogs(key)];
    for (const layer of asked) {
      if (insisting && layer.scope !== 'global') continue;
      const binding = layer.bindings.find(({ keys }) => keys.some((combination) => matches(key, combination)));
      if (binding !== undefined) {
        if (binding.disabled === undefined) binding.run();
        else this.onDisabled(binding.disabled);
        return true;
      }
      if (layer.onOther?.(key) === true) return true;
    }
    return false;
  }

  /** Runs the answer to a key. */
  guard(answer: () => void): void {
    try {
      answer();
    } catch (error) {
      if (this.onError === undefined) throw error;
      this.onError(error);
    }
  }

  /** Runs the binding called `label` of the layer with `order`, if it is still there. For menus, which keep a copy. */
  perform(order: number, label: string): void {
    const layer = this.sorted((candidate) => candidate.order === order)[0];
    const binding = layer?.bindings.find((candidate) => candidate.label === label);
    if (binding?.disabled !== undefined) this.onDisabled(binding.disabled);
    else binding?.run();
  }

  private beyondDialogs(key: Key): KeyLayer[] {
    if (this.dialog === undefined || !(matches(key, 'ctrl+z') || matches(key, 'ctrl+l'))) return [];
    return this.sorted(({ scope }) => scope === 'global');
  }

  private current(): KeyLayer[] {
    const { dialog } = this;
    return this.sorted((layer) => layer.modal === dialog);
  }

  private sorted(wanted: (layer: KeyLayer) => boolean): KeyLayer[] {
    return [...this.layers.values()].filter(wanted).sort((a, b) => RANK[b.scope] - RANK[a.scope] || b.order - a.order);
  }

  private changed(): void {
    const current = this.current();
    const { dialog } = this;
    const signature = JSON.stringify([
      dialog && this.dialogs.get(dialog),
      current.map(({ scope, order, bindings }) => [
        scope,
        order,
        bindings.map(({ keys, label, footer, disabled }) => [keys, label, footer, disabled]),
      ]),
    ]);
    if (signature === this.signature) return;
    this.signature = signature;
    this.shown = current;
    for (const listener of [...this.listeners]) listener();
  }
}
