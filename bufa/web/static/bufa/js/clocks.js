// Counts clocks down between two answers of the server, at the speed of the shop's time.
// The server sends the words; here only the minutes move on.
const shop = document.querySelector("[data-now]");
const words = document.documentElement.lang.startsWith("en")
  ? { left: (s) => `${s} left`, over: (s) => `${s} ago`, d: " d", h: " h", m: " min", s: " s" }
  : { left: (s) => `还剩 ${s}`, over: (s) => `已过 ${s}`, d: " 天", h: " 时", m: " 分", s: " 秒" };

if (shop) {
  const start = Date.parse(shop.dateTime);
  const loaded = performance.now();
  const speed = Number(shop.dataset.speed || 1);
  const now = () => start + (performance.now() - loaded) * speed;
  const span = (ms) => {
    const minutes = Math.floor(ms / 60000);
    const [d, h, m] = [Math.floor(minutes / 1440), Math.floor(minutes / 60) % 24, minutes % 60];
    if (d) return `${d}${words.d}${h ? ` ${h}${words.h}` : ""}`;
    if (h) return `${h}${words.h}${m ? ` ${m}${words.m}` : ""}`;
    return `${m}${words.m}`;
  };
  setInterval(() => {
    for (const clock of document.querySelectorAll("time[data-clock]")) {
      const left = Date.parse(clock.dateTime) - now();
      clock.textContent = left > 0 ? words.left(span(left)) : words.over(span(-left));
      if (left <= 0) { clock.classList.remove("warn"); clock.classList.add("bad"); }
    }
  }, 15000);
}

// The ten seconds in which something can still be taken back, by the real clock.
const countdown = (button) => {
  const until = performance.now() + Number(button.dataset.takeBack) * 1000;
  const label = button.querySelector("[data-seconds]");
  const tick = () => {
    const left = Math.ceil((until - performance.now()) / 1000);
    if (left <= 0) { button.disabled = true; return; }
    if (label) label.textContent = String(left);
    setTimeout(tick, 250);
  };
  tick();
};
const begin = (root) => root.querySelectorAll?.("[data-take-back]:not([data-ticking])").forEach((button) => {
  button.dataset.ticking = "1";
  countdown(button);
});
begin(document);
document.addEventListener("htmx:load", (event) => begin(event.detail.elt.parentNode ?? document));
