// What the phone keeps, in IndexedDB. A write is done when its transaction is on the disk, not before: a doctor who sees "saved"
// may take out the battery.

const REGISTER = "kangmai-field";
const VERSION = 1;

const promised = (request) =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

const opened = (name, make) =>
  new Promise((resolve, reject) => {
    const request = indexedDB.open(name, VERSION);
    request.onupgradeneeded = () => make(request.result);
    request.onsuccess = () => {
      // Another tab brings a newer form, or ends this account: this one must not hold it up.
      request.result.onversionchange = () => request.result.close();
      resolve(request.result);
    };
    request.onerror = () => reject(request.error);
    request.onblocked = () => reject(new Error("blocked"));
  });

/** There is no room left on the phone. */
export class Full extends Error {}

export class Store {
  constructor(database) {
    this.database = database;
  }

  /** What is kept for one account: sealed households, sealed parts of the index, the outbox, and what is about nobody. */
  static async ofAccount(account) {
    return new Store(
      await opened(`${REGISTER}:${account}`, (database) => {
        database.createObjectStore("households");
        database.createObjectStore("index");
        database.createObjectStore("outbox", { keyPath: "sequence" });
        database.createObjectStore("meta");
      }),
    );
  }

  /** The accounts that have this phone. */
  static async register() {
    return new Store(await opened(REGISTER, (database) => database.createObjectStore("phones", { keyPath: "account" })));
  }

  static forget(account) {
    return promised(indexedDB.deleteDatabase(`${REGISTER}:${account}`));
  }

  get(room, key) {
    return promised(this.database.transaction(room).objectStore(room).get(key));
  }

  all(room) {
    return promised(this.database.transaction(room).objectStore(room).getAll());
  }

  keys(room) {
    return promised(this.database.transaction(room).objectStore(room).getAllKeys());
  }

  /**
   * All or nothing, on the disk when it is done. `expect` may look at what is there and say no: then nothing is written.
   * @param {{room: string, key?: any, put?: any, remove?: any}[]} changes
   * @param {{room: string, key: any, is: (value: any) => boolean}=} expect
   * @returns {Promise<boolean>}
   */
  write(changes, expect) {
    const rooms = [...new Set([...changes.map((change) => change.room), ...(expect ? [expect.room] : [])])];
    if (!rooms.length) return Promise.resolve(true);
    return new Promise((resolve, reject) => {
      let agreed = true;
      const transaction = this.database.transaction(rooms, "readwrite", { durability: "strict" });
      const act = () => changes.forEach((change) => put(transaction, change));
      transaction.oncomplete = () => resolve(agreed);
      transaction.onabort = () => {
        const error = transaction.error;
        if (!agreed) resolve(false);
        else reject(error && error.name === "QuotaExceededError" ? new Full() : error);
      };
      if (!expect) return act();
      const asked = transaction.objectStore(expect.room).get(expect.key);
      asked.onsuccess = () => {
        agreed = expect.is(asked.result);
        if (agreed) act();
        else transaction.abort();
      };
    });
  }
}

const put = (transaction, { room, key, put: value, remove }) => {
  const objects = transaction.objectStore(room);
  if (remove !== undefined) objects.delete(remove);
  else if (key === undefined) objects.put(value);
  else objects.put(value, key);
};
