for (const chart of document.querySelectorAll("[data-tips]")) {
  const tips = chart.dataset.tips.split("|"), plot = chart.querySelector(".plot");
  const view = chart.querySelector(".view"), inner = chart.querySelector(".inner");
  const read = document.createElement("span"), cursor = document.createElement("span");
  read.className = "read"; cursor.className = "cursor";
  const move = event => {
    const box = plot.getBoundingClientRect(), share = (event.clientX - box.left) / box.width;
    if (share < 0 || share >= 1 || event.target.closest(".zoom")) return leave();
    read.textContent = tips[Math.floor(share * tips.length)];
    cursor.style.height = box.height + "px";
    cursor.style.left = event.clientX - chart.getBoundingClientRect().left + "px";
    chart.append(cursor, read);
  };
  const leave = () => { read.remove(); cursor.remove(); };
  chart.addEventListener("pointermove", move);
  chart.addEventListener("pointerdown", move);
  chart.addEventListener("pointerleave", leave);

  // Zoom: the plot grows wider than its view, which scrolls; what lies under the pointer stays there.
  let scale = 1;
  const zoom = (factor, x) => {
    const place = (view.scrollLeft + x) / inner.clientWidth;
    scale = Math.min(Math.max(scale * factor, 1), Math.max(tips.length / 10, 1));
    inner.style.width = scale * 100 + "%";
    view.scrollLeft = place * inner.clientWidth - x;
  };
  const at = event => event.clientX - view.getBoundingClientRect().left;
  const buttons = document.createElement("span");
  buttons.className = "zoom";
  for (const [text, name, factor] of [["+", "zoom in", 2], ["−", "zoom out", 0.5]]) {
    const button = document.createElement("button");
    button.textContent = text; button.title = button.ariaLabel = name;
    button.addEventListener("click", () => zoom(factor, view.clientWidth / 2));
    buttons.append(button);
  }
  if (tips.length > 40) {
    chart.append(buttons);
    view.addEventListener("dblclick", event => zoom(event.shiftKey ? 0 : 3, at(event)));
    view.addEventListener("wheel", event => {
      if (!event.ctrlKey) return;
      event.preventDefault();
      zoom(event.deltaY < 0 ? 1.25 : 0.8, at(event));
    }, { passive: false });
  }
}
