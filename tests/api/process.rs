//! A process of the server: started, listened to, and ended with its owner.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, ExitStatus};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::sync::watch;

use crate::secrets;

/// How long a start may take; the rest of the machine may be busy.
const START: Duration = Duration::from_secs(10);

/// What a program that has ended leaves behind.
pub struct Outcome {
    pub status: ExitStatus,
    pub stdout: String,
    pub stderr: String,
}

/// Runs a program to its end.
pub fn run(mut command: Command) -> Outcome {
    let mut child = command.spawn().expect("the server's binary");
    let output = [Reading::of(child.stdout.take()), Reading::of(child.stderr.take())];
    let status = end_of(&mut child, START);
    if status.is_none() {
        child.kill().expect("a process of our own");
    }
    let [stdout, stderr] = output.map(Reading::text);
    is_discreet(&format!("{stdout}{stderr}"));
    let status =
        status.unwrap_or_else(|| panic!("the program runs on\nstdout: {stdout}\nstderr: {stderr}"));
    Outcome { status, stdout, stderr }
}

/// Lines printed by a process.
#[derive(Clone, Default)]
pub struct Log(Arc<Mutex<String>>);

impl Log {
    fn line(&self, line: &str) {
        let mut text = self.0.lock().expect("a log");
        text.push_str(line);
        text.push('\n');
    }

    pub fn append(&self, other: &Log) {
        let other = other.text();
        self.0.lock().expect("a log").push_str(&other);
    }

    pub fn text(&self) -> String {
        self.0.lock().expect("a log").clone()
    }
}

/// A server that listens; killed when dropped.
pub struct Process {
    pub child: Child,
    pub port: u16,
    pub log: Log,
    /// What copies its output to the log.
    following: Vec<JoinHandle<()>>,
}

/// A server that has not said yet where it listens.
pub struct Launch {
    process: Process,
    announced: watch::Receiver<Option<u16>>,
}

impl Process {
    /// Returns once the server has said where it listens.
    pub async fn launch(command: Command) -> Self {
        Launch::of(command).listens().await
    }
}

impl Launch {
    pub fn of(mut command: Command) -> Self {
        let mut child = command.spawn().expect("the server's binary");
        let log = Log::default();
        let (announce, announced) = watch::channel(None);
        let following = vec![
            follow(child.stdout.take(), log.clone(), Some(announce)),
            follow(child.stderr.take(), log.clone(), None),
        ];
        Self { process: Process { child, port: 0, log, following }, announced }
    }

    pub fn log(&self) -> Log {
        self.process.log.clone()
    }

    /// Returns once the server has said where it listens.
    pub async fn listens(self) -> Process {
        let Self { mut process, mut announced } = self;
        let port = tokio::time::timeout(START, announced.wait_for(Option::is_some)).await;
        match port {
            Ok(Ok(port)) => process.port = port.expect("waited for"),
            failure => {
                process.child.kill().expect("a process of our own");
                let status = process.child.wait().expect("its end");
                let why =
                    if failure.is_err() { "took too long to start" } else { "ended at the start" };
                panic!("the server {why} ({status}); it printed:\n{}", process.log.text());
            }
        }
        process
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
        self.following.drain(..).for_each(|following| drop(following.join()));
        is_discreet(&self.log.text());
    }
}

/// No secret is in what a program has printed. A test that has failed already has said why.
fn is_discreet(printed: &str) {
    if !std::thread::panicking() {
        assert_eq!(secrets::leak(printed), None);
    }
}

/// Copies a stream to the log, and tells the port once the server says it.
fn follow(
    stream: Option<impl Read + Send + 'static>,
    log: Log,
    announce: Option<watch::Sender<Option<u16>>>,
) -> JoinHandle<()> {
    let lines = BufReader::new(stream.expect("a pipe")).lines();
    std::thread::spawn(move || {
        for line in lines.map_while(Result::ok) {
            log.line(&line);
            if let (Some(announce), Some(port)) = (&announce, port_in(&line)) {
                announce.send_replace(Some(port));
            }
        }
    })
}

impl Process {
    /// The operations port, which the server has named before it listened.
    pub fn operations_port(&self) -> u16 {
        let text = self.log.text();
        let port = text
            .lines()
            .rev()
            .find_map(|line| port_after("operations (metrics, probes, /ops) on http://", line));
        port.expect("a line about the operations port")
    }
}

/// The port in `… listening on http://127.0.0.1:41234 …`.
fn port_in(line: &str) -> Option<u16> {
    port_after("listening on http://", line)
}

fn port_after(words: &str, line: &str) -> Option<u16> {
    let (_, address) = line.split_once(words)?;
    let address =
        address.split(|sign: char| sign.is_whitespace() || sign == '/' || sign == '"').next()?;
    let (_, port) = address.rsplit_once(':')?;
    port.chars().take_while(char::is_ascii_digit).collect::<String>().parse().ok()
}

fn end_of(child: &mut Child, patience: Duration) -> Option<ExitStatus> {
    let deadline = Instant::now() + patience;
    loop {
        let status = child.try_wait().expect("a status");
        if status.is_some() || Instant::now() > deadline {
            return status;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// A stream read to its end in the background, so that a full pipe does not block the process.
struct Reading(std::thread::JoinHandle<String>);

impl Reading {
    fn of(stream: Option<impl Read + Send + 'static>) -> Self {
        let mut stream = stream.expect("a pipe");
        Self(std::thread::spawn(move || {
            let mut bytes = Vec::new();
            let _ = stream.read_to_end(&mut bytes);
            String::from_utf8_lossy(&bytes).into_owned()
        }))
    }

    fn text(self) -> String {
        self.0.join().expect("a reader that does not panic")
    }
}
