const blocks = [];
for (;;) {
  blocks.push(new Array(100000).fill(blocks.length));
}
