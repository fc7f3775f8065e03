//! A headless Chromium that a test drives, and that dies with the test process.

use std::path::Path;

use fantoccini::error::NewSessionError;
use fantoccini::{Client, ClientBuilder};
use serde_json::json;

use crate::supervised::{Supervised, free_port, on_path, scratch_path};

/// How the browser is to be.
#[derive(Debug, Clone)]
pub struct BrowserOptions {
    /// Whether pages may run scripts.
    pub javascript: bool,
    /// Whether pages see `prefers-color-scheme: dark`.
    pub dark: bool,
    /// Width and height of the window in pixels.
    pub window: (u32, u32),
}

impl Default for BrowserOptions {
    fn default() -> Self {
        Self {
            javascript: true,
            dark: false,
            window: (1280, 900),
        }
    }
}

/// A browser with one open window and a profile of its own.
#[derive(Debug)]
pub struct Browser {
    client: Client,
    // Held for its pipe: when this process ends, the supervisor kills the driver and every browser process.
    _driver: Supervised,
}

impl Browser {
    /// Starts `chromedriver` and a headless Chromium.
    ///
    /// # Panics
    /// When Chromium is not installed or does not start, with a sentence that says what to do.
    pub async fn start(options: &BrowserOptions) -> Self {
        let (Some(driver), Some(chromium)) = (
            on_path(&["chromedriver"]),
            on_path(&["chromium", "google-chrome"]),
        ) else {
            panic!(
                "these tests need Chromium: install it with \
                 `apt-get install -y --no-install-recommends chromium chromium-driver fonts-liberation`"
            );
        };
        let mut said = String::new();
        for _ in 0..3 {
            let dir = scratch_path("browser");
            let port = free_port().to_string();
            let args = [
                driver.display().to_string(),
                dir.display().to_string(),
                port.clone(),
            ];
            // The script waits for its driver with the shell alone, so it needs neither curl nor nc.
            let starting = tokio::task::spawn_blocking(move || {
                Supervised::start(SUPERVISOR, &args.each_ref().map(String::as_str))
            });
            match starting.await.unwrap_or_else(|e| Err(e.to_string())) {
                Ok(supervised) => match connect(&port, &chromium, &dir, options).await {
                    Ok(client) => {
                        return Self {
                            client,
                            _driver: supervised,
                        };
                    }
                    Err(why) => said = format!("no session: {why}"),
                },
                Err(why) => said = why,
            }
        }
        panic!("the browser did not start: {}", said.trim());
    }

    /// The `WebDriver` client: `goto`, `find`, `execute`…
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Writes what the window shows to `file`, as PNG.
    ///
    /// # Panics
    /// When the browser is gone or the file cannot be written.
    pub async fn save_screenshot(&self, file: &Path) {
        let png = self
            .client
            .screenshot()
            .await
            .unwrap_or_else(|e| panic!("no screenshot: {e}"));
        std::fs::write(file, png).unwrap_or_else(|e| panic!("cannot write {}: {e}", file.display()));
    }

    /// Ends the browser in good order; dropping it ends it too.
    pub async fn close(self) {
        drop(self.client.clone().close().await);
    }
}

async fn connect(
    port: &str,
    chromium: &Path,
    dir: &Path,
    options: &BrowserOptions,
) -> Result<Client, NewSessionError> {
    let (width, height) = options.window;
    let mut flags: Vec<String> = FLAGS.iter().map(|f| (*f).to_owned()).collect();
    flags.push(format!("--window-size={width},{height}"));
    flags.push(format!("--user-data-dir={}", dir.join("profile").display()));
    if options.dark {
        flags.push("--force-dark-mode".to_owned());
        flags.push("--blink-settings=preferredColorScheme=0".to_owned());
    }
    let scripts = if options.javascript { 1 } else { 2 };
    let chrome = json!({
        "binary": chromium,
        "args": flags,
        "prefs": { "profile.managed_default_content_settings.javascript": scripts },
    });
    let mut capabilities = serde_json::Map::new();
    capabilities.insert("goog:chromeOptions".to_owned(), chrome);
    let address = format!("http://127.0.0.1:{port}");
    let mut builder = ClientBuilder::new(hyper_connector());
    builder.capabilities(capabilities);
    builder.connect(&address).await
}

fn hyper_connector() -> hyper_util::client::legacy::connect::HttpConnector {
    hyper_util::client::legacy::connect::HttpConnector::new()
}

/// No sandbox because tests run as root, and nothing that talks to the world by itself.
const FLAGS: [&str; 10] = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-breakpad",
    "--disable-dev-shm-usage",
];

/// `$1` chromedriver, `$2` folder, `$3` port. A session of its own for the driver, so that one kill ends all of it.
const SUPERVISOR: &str = r#"
driver=$1 dir=$2 port=$3
trap '' INT TERM HUP PIPE
umask 077
mkdir -p "$dir" || { echo "cannot make $dir"; exit 1; }
HOME="$dir" TMPDIR="$dir" setsid "$driver" --port="$port" >"$dir/log" 2>&1 </dev/null &
pid=$!
clean() { kill -KILL -$pid 2>/dev/null; wait $pid 2>/dev/null; rm -rf "$dir" || { sleep 1; rm -rf "$dir"; }; }
trap clean EXIT
for _ in $(seq 200); do
  grep -q 'started successfully' "$dir/log" && break
  kill -0 $pid 2>/dev/null || { cat "$dir/log"; exit 1; }
  sleep 0.05
done
echo ready
cat >/dev/null
"#;
