// SPDX-License-Identifier: MIT
import 'dart:io';

void main() {
  if (stdin.readLineSync() == null) {
    print('end of input');
  }
}
