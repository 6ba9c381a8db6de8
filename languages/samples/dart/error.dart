void main() {
  int number = 'three';
  print(number);
}
