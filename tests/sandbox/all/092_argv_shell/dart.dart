// SPDX-License-Identifier: MIT
void main(List<String> arguments) {
  for (final argument in arguments) {
    print('[$argument]');
  }
}
