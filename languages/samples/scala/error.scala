object Main extends App {
  val number: Int = "three"
}
