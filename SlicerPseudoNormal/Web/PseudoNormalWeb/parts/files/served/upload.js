// Sends files of the user's computer to the window, one after the other, and tells it when they are there.
(() => {
  const EVERY_MS = 200;
  let request = null;
  let cancelled = false;
  let busy = false;

  const tell = (name, ...words) => window.trame.trigger(`files_${name}`, words);

  function put(url, file, progress) {
    return new Promise((resolve, reject) => {
      request = new XMLHttpRequest();
      request.open("PUT", url);
      request.upload.onprogress = (event) => progress(event.loaded);
      request.onload = () =>
        request.status < 300 ? resolve() : reject({ reason: "refused", said: oneLine(request.responseText) });
      request.onerror = () => reject({ reason: "lost", said: "" });
      request.onabort = () => reject({ reason: "cancelled", said: "" });
      request.send(file);
    });
  }

  function oneLine(text) {
    return text.startsWith("<") ? "" : text.trim().split("\n")[0].slice(0, 300);
  }

  async function send(entries) {
    if (busy) return;
    busy = true;
    cancelled = false;
    const upload = `${Date.now().toString(36)}-${Math.random().toString(36).slice(2, 10)}`;
    const total = entries.reduce((sum, [, file]) => sum + file.size, 0);
    let before = 0;
    let told = 0;
    try {
      if (!entries.length) throw { reason: "empty", said: "" };
      for (const [index, [path, file]] of entries.entries()) {
        const progress = (loaded, now) => {
          if (!now && Date.now() - told < EVERY_MS) return;
          told = Date.now();
          tell("progress", file.name, index + 1, entries.length, before + loaded, total);
        };
        if (cancelled) throw { reason: "cancelled", said: "" };
        progress(0, index === 0);
        const place = path.split("/").map(encodeURIComponent).join("/");
        await put(new URL(`files/${upload}/${place}`, window.location.href), file, progress);
        before += file.size;
      }
      await tell("arrived", upload);
    } catch (error) {
      if (error.reason === "cancelled") await tell("cancelled", upload);
      else await tell("failed", upload, error.reason || "refused", error.said || String(error.message || ""));
    } finally {
      request = null;
      busy = false;
    }
  }

  function choose(folder) {
    const input = document.createElement("input");
    input.type = "file";
    input.multiple = true;
    input.webkitdirectory = folder;
    input.onchange = () => send([...input.files].map((file) => [file.webkitRelativePath || file.name, file]));
    input.click();
  }

  function cancel() {
    cancelled = true;
    if (request) request.abort();
  }

  async function filesIn(entry, path = "") {
    if (entry.isFile) return [[path + entry.name, await new Promise((ok, no) => entry.file(ok, no))]];
    const reader = entry.createReader();
    const found = [];
    for (;;) {
      // A reader gives a hundred entries at a time, and none when it is done.
      const some = await new Promise((ok, no) => reader.readEntries(ok, no));
      if (!some.length) return found;
      for (const one of some) found.push(...(await filesIn(one, `${path}${entry.name}/`)));
    }
  }

  async function dropped(transfer) {
    const entries = [...transfer.items].map((item) => item.webkitGetAsEntry && item.webkitGetAsEntry());
    const plain = [...transfer.files].map((file) => [file.name, file]);
    if (!entries.some(Boolean)) return send(plain);
    try {
      const found = await Promise.all(entries.filter(Boolean).map((entry) => filesIn(entry)));
      return send(found.flat());
    } catch {
      return tell("failed", "", "lost", "");
    }
  }

  // --- what is seen while something is held over the page

  let depth = 0;

  function overlay() {
    let veil = document.getElementById("pn-drop");
    if (!veil) {
      veil = document.createElement("div");
      veil.id = "pn-drop";
      veil.style.cssText =
        "position:fixed;inset:12px;z-index:5000;display:none;align-items:center;justify-content:center;" +
        "pointer-events:none;border:2px dashed #6fb1e8;border-radius:12px;background:rgba(15,18,22,.78);" +
        "color:#dfe6ee;font-size:20px;font-weight:600;";
      const source = document.getElementById("pn-files");
      veil.textContent = source ? source.dataset.drop : "";
      document.body.appendChild(veil);
    }
    return veil;
  }

  const brings = (event) => event.dataTransfer && [...event.dataTransfer.types].includes("Files");

  window.addEventListener("dragenter", (event) => {
    if (!brings(event)) return;
    depth += 1;
    overlay().style.display = "flex";
  });
  window.addEventListener("dragleave", (event) => {
    if (!brings(event)) return;
    depth = Math.max(0, depth - 1);
    if (!depth) overlay().style.display = "none";
  });
  window.addEventListener("dragover", (event) => {
    if (brings(event)) event.preventDefault();
  });
  window.addEventListener("drop", (event) => {
    depth = 0;
    overlay().style.display = "none";
    if (!brings(event)) return;
    event.preventDefault();
    dropped(event.dataTransfer);
  });

  window.pseudonormalFiles = { choose, cancel, send };
})();
