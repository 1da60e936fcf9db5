//! The client, the server and what is between them.

use std::collections::HashMap;

use mqtt::QoS;

use crate::client::Client;
use crate::operation::{Operation, Terms};
use crate::server::Server;

pub struct World {
    terms: Terms,
    client: Client,
    server: Server,
}

impl World {
    pub fn new(terms: &Terms) -> Self {
        let (client, server) = (Client::new(terms.version, terms.inbound), Server::new(terms));
        World { terms: terms.clone(), client, server }
    }

    pub fn apply(&mut self, operation: &Operation) {
        match operation {
            Operation::Deliver(qos) => self.server.deliver(self.granted(*qos)),
            Operation::Publish(qos) if self.server.is_connected() => {
                self.client.publish(self.granted(*qos));
            }
            Operation::Publish(_) => {}
            Operation::Direct => self.server.send_direct(),
            Operation::ToServer(packets) => {
                self.carry_to_server(*packets);
            }
            Operation::ToClient(packets) => {
                self.carry_to_client(*packets);
            }
            Operation::Commit(groups) => self.server.commit(*groups),
            Operation::Part => self.part(),
            Operation::Connect if self.server.is_connected() => {}
            Operation::Connect | Operation::TakeOver => self.connect(),
            Operation::Crash => {
                self.server.crash();
                self.client.part();
            }
            Operation::Pass(millis) => {
                self.server.pass(*millis);
                if !self.server.is_connected() {
                    self.client.part();
                }
            }
        }
        self.check_order();
    }

    /// Nothing fails any more: everything arrives, and nothing is left of it.
    pub fn settle(&mut self) {
        self.connect();
        for _ in 0..10_000 {
            self.server.commit(usize::MAX);
            let moved = self.carry_to_server(usize::MAX) + self.carry_to_client(usize::MAX);
            if moved == 0 && self.server.is_settled() && self.client.is_settled() {
                return self.check_arrivals();
            }
        }
        panic!("something stays under way");
    }

    /// The QoS as the profile grants it.
    fn granted(&self, qos: QoS) -> QoS {
        qos.min(self.terms.profile.maximum_qos)
    }

    fn part(&mut self) {
        self.server.part();
        self.client.part();
    }

    fn connect(&mut self) {
        self.server.connect();
        self.client.connect();
    }

    fn carry_to_server(&mut self, packets: usize) -> usize {
        let mut moved = 0;
        while moved < packets
            && let Some(packet) = self.client.poll_packet()
        {
            self.server.handle(&packet);
            moved += 1;
        }
        moved
    }

    fn carry_to_client(&mut self, packets: usize) -> usize {
        let mut moved = 0;
        while moved < packets
            && let Some(packet) = self.server.poll_packet()
        {
            self.client.handle(&packet);
            moved += 1;
        }
        moved
    }

    /// At QoS 2 messages arrive in order and once; at QoS 1 they do so for the first time in order.
    fn check_order(&self) {
        for qos in [QoS::AtLeastOnce, QoS::ExactlyOnce] {
            let mut newest = None;
            let of_it = self.client.arrived.iter().filter(|(arrived, _)| *arrived == qos);
            for (at, (_, number)) in of_it.clone().enumerate() {
                if newest < Some(*number) {
                    newest = Some(*number);
                    continue;
                }
                let again = of_it.clone().take(at).any(|(_, earlier)| earlier == number);
                assert!(again && qos == QoS::AtLeastOnce, "{number} arrived late or twice");
            }
        }
    }

    fn check_arrivals(&self) {
        let mut times = HashMap::<_, usize>::new();
        for (_, number) in &self.client.arrived {
            *times.entry(*number).or_default() += 1;
        }
        for (_, qos, number) in &self.server.promised {
            let times = times.get(number).copied().unwrap_or_default();
            assert!(times >= 1, "{number} at {qos:?} never arrived");
            assert!(times == 1 || *qos == QoS::AtLeastOnce, "{number} arrived {times} times");
        }
        for number in 0..self.client.begun() {
            assert!(self.server.journal.times_taken(number) >= 1, "{number} was never taken");
        }
    }
}
