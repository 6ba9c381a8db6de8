import 'dart:typed_data';

void main() {
  final blocks = <Uint8List>[];
  while (true) {
    blocks.add(Uint8List(1 << 20)..fillRange(0, 1 << 20, 120));
  }
}
