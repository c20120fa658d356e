// Makes of a picture (docs/schemas/ring.json) what the parts of the page share: members by place, and arcs.

const TOKENS = 2n ** 64n;
const LEAST = -(2n ** 63n);

/** Where a token lies on the ring: 0 for the least, up to 1. Tokens are strings, as they exceed 2^53. */
export function place(token) {
  return Number(BigInt(token) - LEAST) / Number(TOKENS);
}

/** Derive the model; members keep the picture's order, which is that of the matrix. */
export function derive(picture) {
  const members = picture.members.map((member, index) => ({
    ...member,
    index,
    live: member.state[0],
    mode: member.state[1],
    name: member.pod ?? member.address ?? member.hostId,
    dcName: member.dc ?? "unknown",
    rackName: member.rack ?? "unknown",
  }));
  const short = shortNames(members);
  for (const member of members) member.short = short(member);
  const byHost = new Map(members.map((member) => [member.hostId, member]));
  const dcs = places(members);
  for (const dc of dcs) dc.arcs = arcs(dc.members);
  for (const dc of dcs) for (const arc of dc.arcs) arc.member.owns = (arc.member.owns ?? 0) + arc.width;
  return { picture, members, byHost, dcs, counts: counts(members), tokens: dcs.reduce((sum, dc) => sum + dc.arcs.length, 0) };
}

/** The shortest name that tells members apart: the ordinal where all pods are of one StatefulSet. */
function shortNames(members) {
  const sets = new Set(members.filter((each) => each.pod).map((each) => each.pod.replace(/-\d+$/, "")));
  return (member) => {
    if (member.ordinal !== null && sets.size === 1) return String(member.ordinal);
    if (member.pod) return member.pod;
    return member.address ? member.address.replace(/^.*(?=[.:])/, "") : member.hostId.slice(0, 4);
  };
}

function places(members) {
  const found = new Map();
  for (const member of members) {
    if (!found.has(member.dcName)) found.set(member.dcName, { name: member.dcName, members: [], racks: new Map() });
    const dc = found.get(member.dcName);
    dc.members.push(member);
    if (!dc.racks.has(member.rackName)) dc.racks.set(member.rackName, { name: member.rackName, dc: member.dcName, members: [] });
    dc.racks.get(member.rackName).members.push(member);
  }
  const named = (one, other) => one.name.localeCompare(other.name, "en", { numeric: true });
  return [...found.values()].sort(named).map((dc) => ({ ...dc, racks: [...dc.racks.values()].sort(named) }));
}

/**
 * The pieces of the ring between the tokens of one data centre, each with its first replica there.
 * A piece ends with its token and begins after the one before. Joining members own nothing yet.
 */
export function arcs(members) {
  const found = [];
  for (const member of members) {
    if (member.mode === "J") continue;
    for (const token of member.tokens) found.push({ token, to: place(token), member });
  }
  found.sort((one, other) => one.to - other.to);
  found.forEach((arc, index) => {
    arc.from = found[(index || found.length) - 1].to;
    arc.width = found.length === 1 ? 1 : (arc.to - arc.from + 1) % 1;
  });
  return found;
}

/** The arc that a place on the ring is in: the first that ends at or after it. */
export function arcAt(sorted, where) {
  let low = 0, high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle].to < where) low = middle + 1;
    else high = middle;
  }
  return sorted[low % sorted.length];
}

function counts(members) {
  const found = { U: 0, D: 0, "?": 0, J: 0, L: 0, M: 0, N: 0 };
  for (const member of members) {
    found[member.live] += 1;
    found[member.mode] += 1;
  }
  return found;
}
