for (const chart of document.querySelectorAll("[data-tips]")) {
  const tips = chart.dataset.tips.split("|"), plot = chart.querySelector(".plot");
  const read = document.createElement("span"), cursor = document.createElement("span");
  read.className = "read"; cursor.className = "cursor";
  const move = event => {
    const box = plot.getBoundingClientRect(), share = (event.clientX - box.left) / box.width;
    if (share < 0 || share >= 1) return leave();
    read.textContent = tips[Math.floor(share * tips.length)];
    cursor.style.left = event.clientX - chart.getBoundingClientRect().left + "px";
    chart.append(cursor, read);
  };
  const leave = () => { read.remove(); cursor.remove(); };
  chart.addEventListener("pointermove", move);
  chart.addEventListener("pointerdown", move);
  chart.addEventListener("pointerleave", leave);
}
