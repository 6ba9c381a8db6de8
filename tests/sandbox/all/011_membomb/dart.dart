// SPDX-License-Identifier: MIT
import 'dart:typed_data';

void main() {
  final hoard = <Uint8List>[];
  while (hoard.length < 1 << 14) {
    hoard.add(Uint8List(1 << 20)..fillRange(0, 1 << 20, 1));
  }
  print('ran out of ideas');
}
