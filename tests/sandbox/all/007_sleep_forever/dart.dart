// SPDX-License-Identifier: MIT
import 'dart:io';

void main() {
  sleep(const Duration(hours: 100000));
}
