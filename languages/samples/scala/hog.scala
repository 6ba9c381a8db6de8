object Main extends App {
  var blocks = List.empty[Array[Byte]]
  while (true) blocks = new Array[Byte](1 << 20) :: blocks
}
