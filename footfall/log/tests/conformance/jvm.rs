//! A Java VM that runs Kafka's own command line tools one after the other (`java/Tools.java`).

use std::{
    fs,
    io::{BufReader, Read as _, Write as _},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Stdio},
    sync::{
        Arc, Mutex, Weak,
        mpsc::{self, Receiver},
    },
    thread,
};

use crate::{
    access::Access,
    installed::{is_installed, skip},
    target::{PATIENCE, Target},
    tools::{Ended, run, target_directory, workspace},
};

/// For short runs: the optimising compiler and a parallel collector would cost more than they save.
const JAVA_OPTIONS: [&str; 5] = [
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-Xmx256m",
    "-Dlog4j2.level=OFF",
    "-cp",
];

/// The tools and their broker.
pub struct Jvm {
    target: Arc<Target>,
    jars: PathBuf,
    properties: PathBuf,
    inner: Mutex<Inner>,
}

struct Inner {
    child: Child,
    requests: ChildStdin,
    answers: Receiver<Ended>,
}

/// Concurrent tests share one VM.
static SHARED: Mutex<Weak<Jvm>> = Mutex::new(Weak::new());

impl Jvm {
    /// The shared VM. If the tools are missing, reports it on standard error and returns `None`.
    pub fn shared(test: &str) -> Option<Arc<Self>> {
        let mut shared = SHARED.lock().unwrap();
        if let Some(jvm) = shared.upgrade() {
            return Some(jvm);
        }
        let jars = match find_jars() {
            Ok(jars) => jars,
            Err(reason) => {
                skip(test, &reason);
                return None;
            }
        };
        let jvm = Arc::new(Self::start(jars));
        *shared = Arc::downgrade(&jvm);
        Some(jvm)
    }

    /// The broker of the tools.
    pub fn target(&self) -> &Target {
        &self.target
    }

    fn start(jars: PathBuf) -> Self {
        let target = Target::shared();
        let properties = target.folder().join("java.properties");
        write_properties(&target.access, &properties);
        let mut child = Command::new("java")
            .args(JAVA_OPTIONS)
            .arg(jars.join("*"))
            .arg(source())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let requests = child.stdin.take().unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        // A thread, because a read from a pipe has no timeout.
        let (sender, answers) = mpsc::channel();
        thread::spawn(move || {
            while let Some(answer) = read_answer(&mut out) {
                if sender.send(answer).is_err() {
                    break;
                }
            }
        });
        Self {
            target,
            jars,
            properties,
            inner: Mutex::new(Inner {
                child,
                requests,
                answers,
            }),
        }
    }

    /// Runs a tool: its class (with the subcommand if that must come first), its option for a file of client
    /// properties, and further arguments.
    ///
    /// # Panics
    /// If it does not end in time.
    #[track_caller]
    pub fn run(&self, class: &str, properties: &str, arguments: &[&str]) -> Ended {
        let words = self.words(class, properties, arguments);
        let mut inner = self.inner.lock().expect("an earlier tool ended well");
        writeln!(inner.requests, "{}", words.join("\t")).unwrap();
        match inner.answers.recv_timeout(PATIENCE) {
            Ok(ended) => ended,
            Err(error) => {
                // Tests that wait for the VM then fail at once instead of one after the other.
                inner.child.kill().unwrap();
                panic!("{words:?} does not end: {error}");
            }
        }
    }

    /// The same in a separate VM, for tools that do part of their work at the end of their process.
    #[track_caller]
    pub fn run_alone(&self, class: &str, properties: &str, arguments: &[&str]) -> Ended {
        let mut command = Command::new("java");
        command
            .args(JAVA_OPTIONS)
            .arg(self.jars.join("*"))
            .args(self.words(class, properties, arguments));
        run(&mut command, "")
    }

    fn words<'a>(
        &'a self,
        class: &'a str,
        properties: &'a str,
        arguments: &[&'a str],
    ) -> Vec<&'a str> {
        let bootstrap = self.target.access.bootstrap.as_str();
        let file = self.properties.to_str().unwrap();
        let mut words: Vec<&str> = class.split(' ').collect();
        words.extend(["--bootstrap-server", bootstrap, properties, file]);
        words.extend(arguments);
        words
    }
}

impl Drop for Jvm {
    fn drop(&mut self) {
        let Ok(inner) = self.inner.get_mut() else {
            return;
        };
        // The VM holds nothing that must be closed.
        let _killed = inner.child.kill();
        let _status = inner.child.wait();
    }
}

fn read_answer(out: &mut impl std::io::BufRead) -> Option<Ended> {
    let mut head = String::new();
    out.read_line(&mut head).ok()?;
    let mut numbers = head.split_whitespace().map(str::parse::<u64>);
    let code = numbers.next()?.ok()?;
    let mut text = || {
        let mut bytes = Vec::new();
        let length = numbers.next()?.ok()?;
        out.by_ref().take(length).read_to_end(&mut bytes).ok()?;
        Some(String::from_utf8_lossy(&bytes).into_owned())
    };
    Some(Ended {
        success: code == 0,
        out: text()?,
        err: text()?,
    })
}

fn source() -> PathBuf {
    workspace().join("footfall/log/tests/conformance/java/Tools.java")
}

/// Finds the jars, and downloads missing ones. The error says why that failed.
fn find_jars() -> Result<PathBuf, String> {
    // A JDK rather than a JRE, because Java compiles the source file.
    for program in ["java", "javac"] {
        if !is_installed(program) {
            return Err(format!(
                "{program} is not installed (Debian, Ubuntu: openjdk-17-jdk-headless)"
            ));
        }
    }
    let fetched = run(
        Command::new(workspace().join("scripts/apache-kafka")).arg("fetch"),
        "",
    );
    if fetched.success {
        Ok(target_directory().join("apache-kafka/libs"))
    } else {
        Err(format!(
            "cannot download Kafka's jars: {}",
            fetched.err.trim()
        ))
    }
}

/// Writes the properties of Java's clients, which have their own format for the login.
fn write_properties(access: &Access, file: &Path) {
    let mut text = String::new();
    if let Some(login) = &access.login {
        let module = "org.apache.kafka.common.security.plain.PlainLoginModule";
        text = format!(
            "security.protocol=SASL_PLAINTEXT\nsasl.mechanism=PLAIN\n\
             sasl.jaas.config={module} required username=\"{}\" password=\"{}\";\n",
            login.username, login.password
        );
    }
    fs::write(file, text).unwrap();
}
