// The prices of a page: what is written as differences becomes arrays again, and trading time a line without holes.
const Prices = (() => {
  const decode = ({ first, every, rows }) => {
    const count = rows.length / 6, ends = new Float64Array(count), values = new Int32Array(count * 5);
    let end = first, close = 0;
    for (let at = 0; at < count; at++) {
      const [later, open, change, up, down, volume] = rows.slice(at * 6, at * 6 + 6);
      end += later;
      const opened = close + open;
      close = opened + change;
      ends[at] = end;
      values.set([opened, Math.max(opened, close) + up, Math.min(opened, close) - down, close, volume], at * 5);
    }
    return { every, ends, values, count };
  };
  // The first index whose end lies after `at`.
  const after = (ends, at) => {
    let low = 0, high = ends.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (ends[middle] > at) high = middle; else low = middle + 1;
    }
    return low;
  };

  // Stretches of trading on end: nothing is drawn for the hours between them.
  const HOLE = 20 * 60e3;
  const stretches = ({ every, ends, count }) => {
    const found = [];
    let offset = 0;
    for (let at = 0; at < count; at++) {
      const last = found.at(-1);
      if (!last || ends[at] - last.to > every + HOLE) {
        offset += last ? last.to - last.from : 0;
        found.push({ from: ends[at] - every, to: ends[at], offset });
      } else last.to = ends[at];
    }
    return found;
  };
  const axis = all => {
    const whole = all.length ? all.at(-1).offset + all.at(-1).to - all.at(-1).from : 0;
    const pick = (key, at) => {
      let low = 0, high = all.length - 1;
      while (low < high) {
        const middle = (low + high + 1) >> 1;
        if (all[middle][key] <= at) low = middle; else high = middle - 1;
      }
      return all[low];
    };
    return {
      whole, stretches: all,
      place: time => {
        const at = pick("from", time);
        return at.offset + Math.min(Math.max(time - at.from, 0), at.to - at.from);
      },
      time: place => {
        const at = pick("offset", place);
        return at.from + Math.min(Math.max(place - at.offset, 0), at.to - at.from);
      },
    };
  };

  // Puts rows between two instants together to candles of a length: [from, to, open, high, low, close, volume].
  const candles = (source, from, to, length, keep = () => true) => {
    const found = [], { ends, values, every } = source;
    for (let at = after(ends, from); at < source.count && ends[at] - every < to; at++) {
      if (!keep(ends[at])) continue;
      const [open, high, low, close, volume] = values.subarray(at * 5, at * 5 + 5);
      const end = Math.ceil(ends[at] / length) * length, last = found.at(-1);
      if (last && last.end === end && ends[at] - last.to <= HOLE) {
        last.high = Math.max(last.high, high); last.low = Math.min(last.low, low);
        last.close = close; last.volume += volume; last.to = ends[at];
      } else found.push({ from: Math.max(end - length, ends[at] - Math.max(length, every)), end, to: ends[at], open, high, low, close, volume });
    }
    return found;
  };
  return { decode, after, stretches, axis, candles };
})();
