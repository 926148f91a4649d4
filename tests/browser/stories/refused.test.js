import { stage } from "../story.js";

const story = stage();

/** The page explains, and its "try again" begins a sign-in in which 张三 gets in. */
async function assertExplainedAndMended(person, code) {
  await person.assertProblem(code);
  await person.tryAgain();
  await person.signInThroughFrame("zhangsan");
  await person.assertSignedIn("zhangsan");
}

story("whoever declines is told so and may try again", async ({ visit }) => {
  const person = await visit();
  await person.open("/login");
  await person.frame.locator("#decline").click();
  await assertExplainedAndMended(person, 710001);
});

story("whoever declines on the phone is told so at the computer", async ({ visit }) => {
  const computer = await visit();
  await computer.open("/login");
  const phone = await visit();
  await phone.page.goto(await computer.frame.locator("#qr").getAttribute("href"));
  await phone.page.locator("#decline").click();
  await assertExplainedAndMended(computer, 710001);
});

story("somebody outside the company is sent to the administrator", async ({ visit }) => {
  const person = await visit();
  await person.open("/login");
  await person.frame.locator("#non-member").click();
  await person.frame.locator("#confirm").click();
  await assertExplainedAndMended(person, 710101);
});

story("a member outside the visible scope is sent to the administrator", async ({ visit }) => {
  const person = await visit();
  await person.open("/login");
  await person.signInThroughFrame("chenjiu");
  await assertExplainedAndMended(person, 60111);
});

story("a disabled member is sent to the administrator", async ({ visit }) => {
  const person = await visit();
  await person.open("/login");
  await person.signInThroughFrame("zhaoliu");
  await assertExplainedAndMended(person, 710103);
});

story("a member who has not activated the account gets in", async ({ visit }) => {
  const person = await visit();
  await person.signIn("sunba");
});
