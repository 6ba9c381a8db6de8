void main() {
  throw StateError('nobody catches this');
}
