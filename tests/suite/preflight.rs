use crate::docker::Docker;
use crate::kmk::Kmk;

#[test]
fn docker_is_missing() {
    Kmk::new().without_docker().deploy("").code(3).stdout("").stderr("x");
}
#[test]
fn scratch() {
    let kmk = Kmk::new();
    let lab = kmk.lab();
    kmk.docker(&Docker::works().up_makes(&lab)).deploy("--timeout 3s").code(3).stdout("").stderr("x");
}
#[test]
fn scratch2() {
    let kmk = Kmk::new();
    let lab = kmk.lab();
    kmk.docker(&Docker::works().with(&lab)).run("destroy").code(3).stdout("").stderr("x");
}
#[test]
fn scratch3() {
    let kmk = Kmk::new();
    let lab = kmk.lab();
    kmk.docker(&Docker::works().with(&lab)).run("status").code(3).stdout("").stderr("x");
}
