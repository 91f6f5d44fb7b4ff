//! The debugging protocol over a pipe: JSON messages that end with a zero byte.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::process::{ChildStdin, ChildStdout};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};

/// How long Chromium may take over one command, or over loading one page.
pub(super) const PATIENCE: Duration = Duration::from_secs(40);

/// One browser, many sessions.
pub(super) struct Connection {
    to: Mutex<ChildStdin>,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    last_call: u64,
    waiting: HashMap<u64, Sender<Value>>,
    events: HashMap<String, Vec<Value>>,
    ended: bool,
}

impl Connection {
    pub(super) fn over(to: ChildStdin, from: ChildStdout) -> Arc<Connection> {
        let connection =
            Arc::new(Connection { to: Mutex::new(to), state: Mutex::default(), changed: Condvar::new() });
        let reader = Arc::clone(&connection);
        std::thread::spawn(move || reader.read_all(from));
        connection
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read_all(&self, from: ChildStdout) {
        for message in BufReader::new(from).split(0).map_while(Result::ok) {
            let Ok(message) = serde_json::from_slice::<Value>(&message) else { continue };
            let mut state = self.state();
            if let Some(answered) = message["id"].as_u64() {
                if let Some(waiting) = state.waiting.remove(&answered) {
                    // Nobody may wait any more.
                    let _unheard = waiting.send(message);
                }
            } else {
                let session = message["sessionId"].as_str().unwrap_or_default().to_owned();
                state.events.entry(session).or_default().push(message);
                self.changed.notify_all();
            }
        }
        let mut state = self.state();
        state.ended = true;
        state.waiting.clear();
        self.changed.notify_all();
    }

    /// Sends a command and waits for its result; fails if the browser refuses it.
    pub(super) fn call(&self, session: Option<&str>, method: &str, parameters: Value) -> Value {
        self.try_call(session, method, parameters).unwrap_or_else(|error| panic!("{method}: {error}"))
    }

    /// Sends a command and waits for its result, or for what the browser says against it.
    pub(super) fn try_call(
        &self,
        session: Option<&str>,
        method: &str,
        parameters: Value,
    ) -> Result<Value, Value> {
        let (answer, answered) = channel();
        let id = {
            let mut state = self.state();
            assert!(!state.ended, "Chromium has ended before {method}");
            state.last_call += 1;
            let id = state.last_call;
            state.waiting.insert(id, answer);
            id
        };
        let mut message = json!({ "id": id, "method": method, "params": parameters });
        if let Some(session) = session {
            message["sessionId"] = json!(session);
        }
        self.send(&message).expect("Chromium reads its pipe");
        let mut told =
            answered.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("Chromium does not answer {method}"));
        if told["error"].is_null() { Ok(told["result"].take()) } else { Err(told["error"].take()) }
    }

    /// Sends a command without waiting.
    pub(super) fn send_and_forget(&self, method: &str) {
        // A browser that has ended needs no command.
        let _sent = self.send(&json!({ "id": 0, "method": method }));
    }

    fn send(&self, message: &Value) -> std::io::Result<()> {
        let mut bytes = message.to_string().into_bytes();
        bytes.push(0);
        let mut to = self.to.lock().unwrap_or_else(PoisonError::into_inner);
        to.write_all(&bytes)?;
        to.flush()
    }

    /// How many events the session had so far.
    pub(super) fn events_so_far(&self, session: &str) -> usize {
        self.state().events.get(session).map_or(0, Vec::len)
    }

    /// The events of the session behind the first `from` that are called one of `methods`.
    pub(super) fn events(&self, session: &str, from: usize, methods: &[&str]) -> Vec<Value> {
        let state = self.state();
        let events = state.events.get(session).map(|events| &events[from.min(events.len())..]);
        let named = |event: &&Value| event["method"].as_str().is_some_and(|method| methods.contains(&method));
        events.into_iter().flatten().filter(named).cloned().collect()
    }

    /// Waits until the session had an event behind the first `from` that is called one of `methods`; false if the
    /// time ran out.
    pub(super) fn wait_for(&self, session: &str, from: usize, methods: &[&str], patience: Duration) -> bool {
        let missing = |state: &mut State| {
            let events = state.events.get(session).map(|events| &events[from.min(events.len())..]);
            let mut names = events.into_iter().flatten().filter_map(|event| event["method"].as_str());
            !state.ended && !names.any(|name| methods.contains(&name))
        };
        let waited = self.changed.wait_timeout_while(self.state(), patience, missing);
        !waited.unwrap_or_else(PoisonError::into_inner).1.timed_out()
    }
}
